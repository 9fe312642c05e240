"""Calls that send and receive raw frames; a burst is one call, because a
call costs milliseconds.
"""
from __future__ import annotations

import socket
import time
from collections.abc import Generator
from typing import TypedDict

from drivers.agent.call import call, listen
from drivers.uapi import ethtool, packet
from drivers.uapi.frames import ETH_P_ALL, ETH_P_ARP, arp, ethernet, is_numbered, mac, numbered
from drivers.uapi.sysfs import read


def _own_address(interface: str) -> str:
    return read(f"/sys/class/net/{interface}/address")


@call
def send_frames(interface: str, frames: list[bytes], timeout_s: float = 30.0) -> int:
    """Send the frames as they are, in order, and return how many bytes the queue took."""
    with packet.open_socket(interface, 0) as sock:
        return packet.send(sock, frames, timeout_s)


@call
def send_numbered(
    interface: str,
    destination: str,
    lengths: list[int],
    first: int = 0,
    vlan: int | None = None,
    timeout_s: float = 30.0,
) -> int:
    """Send one numbered frame of each length and return how many bytes the queue took."""
    source = _own_address(interface)
    frames = (
        numbered(destination, source, length, first + at, vlan) for at, length in enumerate(lengths)
    )
    with packet.open_socket(interface, 0) as sock:
        return packet.send(sock, frames, timeout_s)


class Drained(TypedDict):
    """A burst: frames counted as sent, the seconds until then, and the
    bytes that the queue took.
    """

    sent: int
    seconds: float
    taken: int


class Captured(TypedDict):
    """Frames as on the wire without FCS, tags put back."""

    frames: list[bytes]
    checksum_valid: list[bool]  # whether the kernel considers each one's checksum verified
    drops: int  # frames that the socket had no room for


class Echoed(TypedDict):
    """Frames that were sent back, and how many the socket had no room for."""

    frames: list[bytes]
    drops: int


@call
def send_and_drain(
    interface: str, destination: str, lengths: list[int], first: int = 0, timeout_s: float = 10.0
) -> Drained:
    """Do as `send_numbered`, all at once, and wait until the interface counted every frame as sent,
    at most `timeout_s`.
    """
    source = _own_address(interface)
    frames = [
        numbered(destination, source, length, first + at) for at, length in enumerate(lengths)
    ]
    before = packet.sent(interface)
    started = time.monotonic()
    with packet.open_socket(interface, 0) as sock:
        taken = packet.send(sock, frames, timeout_s)
    while packet.sent(interface) - before < len(frames) and time.monotonic() - started < timeout_s:
        time.sleep(0.001)
    return {
        "sent": packet.sent(interface) - before,
        "seconds": time.monotonic() - started,
        "taken": taken,
    }


@listen
def capture(
    interface: str,
    count: int,
    timeout_s: float = 2.0,
    ethertype: int = ETH_P_ALL,
    until: bytes = b"",
    multicast: list[str] | None = None,
    promisc: bool = False,
    allmulti: bool = False,
) -> Generator[None, None, Captured]:
    """Receive frames: `count`, or up to the one that contains `until`, or
    for `timeout_s` once ready.

    The memberships last as long as the call.
    """
    with packet.open_socket(interface, ethertype) as sock:
        for group in multicast or []:
            packet.join(sock, interface, packet.PACKET_MR_MULTICAST, mac(group))
        if promisc:
            packet.join(sock, interface, packet.PACKET_MR_PROMISC)
        if allmulti:
            packet.join(sock, interface, packet.PACKET_MR_ALLMULTI)
        if multicast or promisc or allmulti:
            ethtool.settle(interface)
        yield
        received = packet.receive(sock, count, timeout_s, until)
        return {
            "frames": received.frames,
            "checksum_valid": received.checksum_valid,
            "drops": packet.drops(sock),
        }


@listen
def echo(interface: str, count: int, timeout_s: float = 2.0) -> Generator[None, None, Echoed]:
    """Send each numbered frame back to its sender, `count` times, and return them.

    The sender paces itself by what comes back, so that what is under way always fits. Ends after
    `timeout_s` without a frame.
    """
    # All types are listened to: a socket for one type gets tagged frames without their tag.
    with packet.open_socket(interface) as sock:
        yield
        received = packet.Received()
        frames: list[bytes] = []
        sock.settimeout(timeout_s)
        while len(frames) < count:
            try:
                frame = received.take(sock)
            except socket.timeout:
                break
            if frame is not None and is_numbered(frame):
                frames.append(frame)
                sock.send(frame[6:12] + frame[:6] + frame[12:])
        return {"frames": frames, "drops": packet.drops(sock)}


@call
def exchange_arp(interface: str, source: str, target: str, timeout_s: float = 2.0) -> str:
    """Send an ARP request for `target` and return the Ethernet address; "" without an answer."""
    own = _own_address(interface)
    request = ethernet(
        "ff:ff:ff:ff:ff:ff", own, ETH_P_ARP, arp(1, (own, source), ("00:00:00:00:00:00", target))
    )
    with packet.open_socket(interface, ETH_P_ARP) as sock:
        sock.send(request)
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            for frame in packet.receive(sock, 1, left).frames:
                if frame[20:22] == b"\0\2" and frame[28:32] == request[38:42]:
                    return frame[22:28].hex(":")
    return ""
