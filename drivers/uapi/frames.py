"""Make and read Ethernet frames.   Ref: IEEE 802.3; RFC 791, 792, 768, 793, 826, 1071, 2460

Frames are without their FCS. Used on the target to send, and by the checks to say what they expect.
"""
from __future__ import annotations

import socket
import struct

ETH_P_ALL, ETH_P_IP, ETH_P_ARP, ETH_P_8021Q, ETH_P_IPV6 = 0x0003, 0x0800, 0x0806, 0x8100, 0x86DD
ETH_P_TEST = 0x88B5  # IEEE 802 local experimental: no protocol of the kernel takes it
BROADCAST = "ff:ff:ff:ff:ff:ff"
SHORTEST, LONGEST = 60, 1514
IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP = 1, 6, 17


def mac(text: str) -> bytes:
    """The six bytes of "02:00:…"."""
    data = bytes.fromhex(text.replace(":", ""))
    if len(data) != 6:
        raise ValueError(f"{text!r} is no Ethernet address")
    return data


def ethernet(
    destination: str, source: str, ethertype: int, payload: bytes, vlan: int | None = None
) -> bytes:
    """A frame, padded with zeros to the shortest; `vlan` is a tag control
    field put before the type.
    """
    tag = b"" if vlan is None else struct.pack(">HH", ETH_P_8021Q, vlan)
    return (mac(destination) + mac(source) + tag + struct.pack(">H", ethertype) + payload).ljust(
        SHORTEST, b"\0"
    )


def pattern(length: int, seed: int) -> bytes:
    """`length` bytes that differ from those of another seed, and never repeat with
    a period of a bus width.

    251 is prime, so a byte, halfword or word that is lost or doubled shows.
    """
    start = seed * 89 % 251
    period = bytes((start + at) % 251 for at in range(251))
    return (period * (length // 251 + 1))[:length]


def numbered(
    destination: str, source: str, length: int, seed: int = 0, vlan: int | None = None
) -> bytes:
    """A frame of exactly `length` bytes of type ETH_P_TEST: u16 length,
    u32 seed, then the pattern.
    """
    head = 14 + (0 if vlan is None else 4)
    body = struct.pack(">HI", length, seed & 0xFFFFFFFF) + pattern(length - head - 6, seed)
    return ethernet(destination, source, ETH_P_TEST, body, vlan)


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071); 0 for data that holds a right one."""
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data[: len(data) & ~1]))
    if len(data) & 1:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(
    source: str, destination: str, protocol: int, payload: bytes, identification: int = 0
) -> bytes:
    """An IPv4 packet without options, time to live 64."""
    head = struct.pack(
        ">BBHHHBBH", 0x45, 0, 20 + len(payload), identification, 0x4000, 64, protocol, 0
    )
    head += socket.inet_aton(source) + socket.inet_aton(destination)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ipv6(source: str, destination: str, next_header: int, payload: bytes) -> bytes:
    """An IPv6 packet without extension headers, hop limit 64."""
    return (
        struct.pack(">IHBB", 6 << 28, len(payload), next_header, 64)
        + socket.inet_pton(socket.AF_INET6, source)
        + socket.inet_pton(socket.AF_INET6, destination)
        + payload
    )


def pseudo_header(source: str, destination: str, protocol: int, length: int) -> bytes:
    """What UDP and TCP put before their segment to compute the checksum, IPv4 or IPv6."""
    if ":" in source:
        ends = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(
            socket.AF_INET6, destination
        )
        return ends + struct.pack(">II", length, protocol)
    return (
        socket.inet_aton(source)
        + socket.inet_aton(destination)
        + struct.pack(">HH", protocol, length)
    )


def udp(
    source: str, destination: str, ports: tuple[int, int], payload: bytes, wrong: bool = False
) -> bytes:
    """A UDP datagram from ports[0] to ports[1]; `wrong` spoils its checksum."""
    length = 8 + len(payload)
    head = struct.pack(">HHHH", ports[0], ports[1], length, 0)
    total = (
        checksum(pseudo_header(source, destination, IPPROTO_UDP, length) + head + payload) or 0xFFFF
    )
    if wrong:
        total = total ^ 0x5555 or 0xFFFF
    return head[:6] + struct.pack(">H", total) + payload


def tcp(
    source: str,
    destination: str,
    ports: tuple[int, int],
    numbers: tuple[int, int],
    flags: int,
    wrong: bool = False,
) -> bytes:
    """A TCP segment without data: numbers are (sequence, acknowledged);
    `wrong` spoils its checksum.
    """
    head = struct.pack(">HHIIBBHHH", *ports, *numbers, 5 << 4, flags, 8192, 0, 0)
    total = checksum(pseudo_header(source, destination, IPPROTO_TCP, len(head)) + head)
    if wrong:
        total ^= 0x5555
    return head[:16] + struct.pack(">H", total) + head[18:]


def icmp_echo(
    identifier: int, sequence: int, payload: bytes, reply: bool = False, wrong: bool = False
) -> bytes:
    """An ICMP echo request or reply; `wrong` spoils its checksum."""
    head = struct.pack(">BBHHH", 0 if reply else 8, 0, 0, identifier, sequence)
    total = checksum(head + payload)
    if wrong:
        total ^= 0x5555
    return head[:2] + struct.pack(">H", total) + head[4:] + payload


def arp(operation: int, source: tuple[str, str], target: tuple[str, str]) -> bytes:
    """An ARP packet for IPv4 over Ethernet; source and target are (mac, address)."""
    return (
        struct.pack(">HHBBH", 1, ETH_P_IP, 6, 4, operation)
        + mac(source[0])
        + socket.inet_aton(source[1])
        + mac(target[0])
        + socket.inet_aton(target[1])
    )


def transport(frame: bytes) -> tuple[int, bytes, bytes]:
    """(protocol, pseudo header, segment) of an IPv4 frame without options: checksum() of
    the two is 0 when right.
    """
    packet = frame[14 : 14 + struct.unpack_from(">H", frame, 16)[0]]
    segment = packet[(packet[0] & 0xF) * 4 :]
    source, destination = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
    return packet[9], pseudo_header(source, destination, packet[9], len(segment)), segment


def is_numbered(frame: bytes) -> bool:
    """Whether the frame is of type ETH_P_TEST, tagged or not."""
    return frame[12:14] == b"\x88\xb5" or (
        frame[12:14] == b"\x81\0" and frame[16:18] == b"\x88\xb5"
    )
