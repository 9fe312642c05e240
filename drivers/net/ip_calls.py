"""Calls that use the kernel's own IP: ping, UDP, TCP, and its counters.

Ref: RFC 792, 1071; proc(5)
"""
from __future__ import annotations

import errno
import os
import select
import socket
import struct
import time
from collections.abc import Generator

from drivers.agent.call import call, listen
from drivers.uapi.frames import IPPROTO_ICMP, icmp_echo, pattern

SO_BINDTODEVICE = 25
REPLY = struct.Struct(">BBHHH")  # type, code, checksum, identifier, sequence


def _bound(interface: str, family: int, kind: int, protocol: int = 0) -> socket.socket:
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, interface.encode() + b"\0")
    return sock


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@call
def ping(
    interface: str, address: str, count: int = 3, size: int = 56, timeout_s: float = 2.0
) -> list[float]:
    """Send `count` ICMP echo requests with `size` bytes, one after the other; the
    seconds each good reply took.

    A reply with different bytes is not counted.
    """
    identifier = os.getpid() & 0xFFFF
    taken: list[float] = []
    with _bound(interface, socket.AF_INET, socket.SOCK_RAW, IPPROTO_ICMP) as sock:
        for sequence in range(1, count + 1):
            started = time.monotonic()
            sock.sendto(icmp_echo(identifier, sequence, pattern(size, sequence)), (address, 0))
            if _replied(sock, (identifier, sequence), pattern(size, sequence), started + timeout_s):
                taken.append(time.monotonic() - started)
    return taken


def _replied(sock: socket.socket, wanted: tuple[int, int], payload: bytes, deadline: float) -> bool:
    while (left := deadline - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            data = sock.recv(65536)
        except socket.timeout:
            return False
        message = data[(data[0] & 0xF) * 4 :]
        kind, _, _, identifier, sequence = REPLY.unpack_from(message)
        if kind == 0 and (identifier, sequence) == wanted and message[8:] == payload:
            return True
    return False


@call
def send_udp(
    interface: str, address: str, port: int, payloads: list[bytes], source_port: int = 0
) -> None:
    """Send each payload as one datagram from the kernel's own UDP: it leaves checksums
    to the chip if that can.
    """
    with _bound(interface, _family(address), socket.SOCK_DGRAM) as sock:
        sock.bind(("", source_port))
        for payload in payloads:
            sock.sendto(payload, (address, port))


@listen
def recv_udp(
    interface: str,
    port: int,
    count: int,
    timeout_s: float = 2.0,
    ipv6: bool = False,
    until: bytes = b"",
) -> Generator[None, None, list[bytes]]:
    """Receive datagrams on `port`: `count`, or up to the payload `until`, or
    for `timeout_s` once ready.
    """
    with _bound(interface, socket.AF_INET6 if ipv6 else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("", port))
        yield
        received: list[bytes] = []
        deadline = time.monotonic() + timeout_s
        while len(received) < count and (left := deadline - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                received.append(sock.recv(65536))
            except socket.timeout:
                break
            if until and received[-1] == until:
                break
        return received


@listen
def connect_tcp(
    interface: str, address: str, port: int, source_port: int, timeout_s: float = 2.0
) -> Generator[None, None, str]:
    """Open a TCP connection; the SYN leaves before ready.  "connected", "refused" or "timeout"."""
    with _bound(interface, _family(address), socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
        sock.bind(("", source_port))
        sock.setblocking(False)
        state = sock.connect_ex((address, port))
        yield
        if state == errno.EINPROGRESS:
            _, writable, _ = select.select([], [sock], [], timeout_s)
            state = (
                sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if writable else errno.ETIMEDOUT
            )
        if state == 0:
            return "connected"
        if state in (errno.ECONNREFUSED, errno.ETIMEDOUT):
            return "refused" if state == errno.ECONNREFUSED else "timeout"
        raise OSError(state, os.strerror(state))


@call
def snmp() -> dict[str, dict[str, int]]:
    """The counters of /proc/net/snmp and snmp6: protocol → counter → number."""
    counters: dict[str, dict[str, int]] = {}
    with open("/proc/net/snmp") as file:
        lines = [line.split() for line in file]
    for names, numbers in zip(lines[::2], lines[1::2]):
        counters[names[0].rstrip(":")] = dict(zip(names[1:], map(int, numbers[1:])))
    if os.path.exists("/proc/net/snmp6"):
        with open("/proc/net/snmp6") as file:
            counters["v6"] = {name: int(number) for name, number in (line.split() for line in file)}
    return counters
