"""Send and receive raw frames.   Ref: packet(7); include/uapi/linux/if_packet.h"""
from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Iterator

from drivers.uapi import rtnetlink
from drivers.uapi.frames import ETH_P_8021Q, ETH_P_ALL

SOL_PACKET = 263
PACKET_ADD_MEMBERSHIP, PACKET_STATISTICS, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 1, 6, 8, 23
PACKET_MR_MULTICAST, PACKET_MR_PROMISC, PACKET_MR_ALLMULTI, PACKET_MR_UNICAST = 0, 1, 2, 3
PACKET_OUTGOING = 4
SO_RCVBUFFORCE = 33
TP_STATUS_CSUM_VALID, TP_STATUS_VLAN_VALID, TP_STATUS_VLAN_TPID_VALID = 1 << 7, 1 << 4, 1 << 6

AUXDATA = struct.Struct("=IIIHHHH")  # status, len, snaplen, mac, net, vlan_tci, vlan_tpid
MREQ = struct.Struct("=iHH8s")  # packet_mreq: ifindex, type, alen, address


@contextlib.contextmanager
def open_socket(interface: str, ethertype: int = ETH_P_ALL) -> Iterator[socket.socket]:
    """A packet socket on `interface` for frames of `ethertype`, with 8 MB of room."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        with contextlib.suppress(
            OSError
        ):  # before Linux 4.20: those of our own are left out one by one
            sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        sock.bind((interface, ethertype))
        yield sock


def join(sock: socket.socket, interface: str, kind: int, address: bytes = b"") -> None:
    """Take up a membership (PACKET_MR_*) that ends when the socket closes."""
    request = MREQ.pack(rtnetlink.index(interface), kind, len(address), address)
    sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, request)


def drops(sock: socket.socket) -> int:
    """Frames that this socket had no room for since the last call."""
    return int(struct.unpack("=II", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1])


class Received:
    """What a packet socket received: frames as on the wire, tag put back, and what
    the kernel thinks of each.
    """

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.checksum_valid: list[bool] = []
        self.at_s: list[float] = []

    def take(self, sock: socket.socket) -> bytes | None:
        """Receive one frame; None for one that the machine itself sent."""
        data, ancillary, _, address = sock.recvmsg(65536, socket.CMSG_SPACE(AUXDATA.size))
        if address[2] == PACKET_OUTGOING:
            return None
        status = tci = tpid = 0
        for level, kind, body in ancillary:
            if level == SOL_PACKET and kind == PACKET_AUXDATA:
                status, _, _, _, _, tci, tpid = AUXDATA.unpack(body[: AUXDATA.size])
        if status & TP_STATUS_VLAN_VALID:
            tpid = tpid if status & TP_STATUS_VLAN_TPID_VALID else ETH_P_8021Q
            data = data[:12] + struct.pack(">HH", tpid, tci) + data[12:]
        self.frames.append(data)
        self.checksum_valid.append(bool(status & TP_STATUS_CSUM_VALID))
        self.at_s.append(time.monotonic())
        return data


def receive(sock: socket.socket, count: int, timeout_s: float, until: bytes = b"") -> Received:
    """Receive frames: `count`, or up to the one that contains `until`, or for `timeout_s`."""
    received = Received()
    deadline = time.monotonic() + timeout_s
    while len(received.frames) < count and (left := deadline - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            data = received.take(sock)
        except socket.timeout:
            break
        if until and data is not None and until in data:
            break
    return received


def send(sock: socket.socket, frames: Iterator[bytes] | list[bytes], timeout_s: float) -> int:
    """Send each frame as the queue has room, and return how many bytes it
    took within `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    total = 0
    for frame in frames:
        sock.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            total += sock.send(frame)
        except socket.timeout:
            break
    return total


def sent(interface: str) -> int:
    """Frames that the interface counted as sent."""
    with open(f"/sys/class/net/{interface}/statistics/tx_packets") as opened_file:
        return int(opened_file.read())
