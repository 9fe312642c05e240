"""Speak rtnetlink.

Ref: rtnetlink(7); include/uapi/linux/{netlink,rtnetlink,if_link,neighbour}.h
"""
from __future__ import annotations

import errno
import os
import socket
import struct
import time
from collections.abc import Iterator

RTMGRP_LINK = 1
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 28, 29, 30
RTM_GETQDISC = 38
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP, NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE = (
    1,
    4,
    0x300,
    0x100,
    0x200,
    0x400,
)
NLMSG_ERROR, NLMSG_DONE = 2, 3

IFF_UP, IFF_RUNNING, IFF_PROMISC, IFF_ALLMULTI = 0x1, 0x40, 0x100, 0x200

HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
IFINFO = struct.Struct("=BxHiII")  # ifinfomsg: family, type, index, flags, change
IFADDR = struct.Struct("=BBBBI")  # ifaddrmsg: family, prefixlen, flags, scope, index
NDMSG = struct.Struct("=BxxxiHBB")  # ndmsg: family, ifindex, state, flags, type
TCMSG = struct.Struct("=BxxxiIII")  # tcmsg: family, ifindex, handle, parent, info
ATTRIBUTE = struct.Struct("=HH")  # rtattr: length, type

IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_QDISC = 1, 3, 4, 5, 6
IFLA_TXQLEN, IFLA_OPERSTATE, IFLA_LINKINFO, IFLA_STATS64 = 13, 16, 18, 23
IFLA_PROMISCUITY, IFLA_CARRIER, IFLA_CARRIER_CHANGES, IFLA_PERM_ADDRESS, IFLA_ALLMULTI = (
    30,
    33,
    35,
    54,
    61,
)
IFLA_INFO_KIND, IFLA_INFO_DATA, IFLA_VLAN_ID = 1, 2, 1
IFA_ADDRESS, IFA_LOCAL = 1, 2
NDA_DST, NDA_LLADDR = 1, 2
NUD_PERMANENT = 0x80
TCA_KIND, TCA_STATS2, TCA_STATS_BASIC, TCA_STATS_QUEUE = 1, 7, 1, 3

OPERSTATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")

STATS64 = (
    "rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped",
    "tx_dropped", "multicast", "collisions", "rx_length_errors", "rx_over_errors",
    "rx_crc_errors", "rx_frame_errors", "rx_fifo_errors", "rx_missed_errors", "tx_aborted_errors",
    "tx_carrier_errors", "tx_fifo_errors", "tx_heartbeat_errors", "tx_window_errors",
    "rx_compressed", "tx_compressed", "rx_nohandler", "rx_otherhost_dropped",
)  # fmt: skip


def attribute(kind: int, data: bytes) -> bytes:
    """One rtattr with its padding."""
    return ATTRIBUTE.pack(ATTRIBUTE.size + len(data), kind) + data + bytes(-len(data) % 4)


def attributes(data: bytes) -> dict[int, bytes]:
    """The rtattrs in `data` by type, nested flag removed; a cut or
    senseless length ends the list.
    """
    attributes_by_type: dict[int, bytes] = {}
    at = 0
    while at + ATTRIBUTE.size <= len(data):
        length, kind = ATTRIBUTE.unpack_from(data, at)
        if length < ATTRIBUTE.size or at + length > len(data):
            break
        attributes_by_type[kind & 0x3FFF] = data[at + ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    return attributes_by_type


def messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (type, sequence, body) of each whole netlink message in `data`."""
    at = 0
    while at + HEADER.size <= len(data):
        length, kind, _, sequence, _ = HEADER.unpack_from(data, at)
        if length < HEADER.size or at + length > len(data):
            break
        yield kind, sequence, data[at + HEADER.size : at + length]
        at += (length + 3) & ~3


class Route:
    """A NETLINK_ROUTE socket; `with` closes it.  `groups` are the RTMGRP_* to listen to."""

    def __init__(self, groups: int = 0) -> None:
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self.sequence = 0
        try:
            self.socket.bind((0, groups))
        except OSError:
            self.socket.close()
            raise

    def __enter__(self) -> Route:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def request(self, kind: int, body: bytes, flags: int = 0) -> list[bytes]:
        """Ask the kernel and return the bodies of its answers; its refusal is raised as OSError."""
        self.sequence += 1
        dump = flags & NLM_F_DUMP == NLM_F_DUMP and kind in (
            RTM_GETLINK,
            RTM_GETADDR,
            RTM_GETNEIGH,
            RTM_GETQDISC,
        )
        flags |= NLM_F_REQUEST | (0 if dump else NLM_F_ACK)
        self.socket.settimeout(5)
        self.socket.send(HEADER.pack(HEADER.size + len(body), kind, flags, self.sequence, 0) + body)
        answers: list[bytes] = []
        while True:
            for answer, sequence, data in messages(self.socket.recv(1 << 17)):
                if sequence != self.sequence:
                    continue  # a multicast notice in between
                if answer == NLMSG_DONE:
                    return answers
                if answer == NLMSG_ERROR:
                    number = -struct.unpack_from("=i", data)[0]
                    if number:
                        raise OSError(number, f"rtnetlink: {os.strerror(number)}")
                    return answers
                answers.append(data)

    def events(self, timeout_s: float) -> Iterator[tuple[float, int, bytes]]:
        """Yield (time.monotonic() of arrival, type, body) of the notices
        until `timeout_s` has passed.
        """
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(1 << 17)
            except socket.timeout:
                return
            except OSError as error:
                if (
                    error.errno != errno.ENOBUFS
                ):  # the kernel dropped notices: go on with those that follow
                    raise
                continue
            now = time.monotonic()
            for kind, _, body in messages(data):
                yield now, kind, body


def index(interface: str) -> int:
    """The interface's index; ENODEV when there is none of this name."""
    try:
        return socket.if_nametoindex(interface)
    except OSError:
        raise OSError(errno.ENODEV, f"no network interface named {interface}") from None
