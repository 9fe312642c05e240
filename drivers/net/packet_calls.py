"""Calls that send and hear raw frames; a burst is one call, for a call costs milliseconds."""
from __future__ import annotations

import socket
import time
from collections.abc import Generator

from drivers.agent.call import call, listen
from drivers.uapi import ethtool, packet
from drivers.uapi.frames import ETH_P_ALL, ETH_P_ARP, arp, ethernet, is_numbered, mac, numbered


def _own_address(interface: str) -> str:
    with open(f"/sys/class/net/{interface}/address") as opened:
        return opened.read().strip()


@call
def send_frames(interface: str, frames: list[bytes], timeout_s: float = 30.0) -> int:
    """Send the frames as they are, in order, and return how many bytes the queue took."""
    with packet.opened(interface, 0) as made:
        return packet.send(made, frames, timeout_s)


@call
def send_numbered(
    interface: str,
    destination: str,
    lengths: list[int],
    first: int = 0,
    vlan: int | None = None,
    timeout_s: float = 30.0,
) -> int:
    """Send one numbered frame of each length, made here, and return how
    many bytes the queue took.
    """
    source = _own_address(interface)
    frames = (
        numbered(destination, source, length, first + at, vlan) for at, length in enumerate(lengths)
    )
    with packet.opened(interface, 0) as made:
        return packet.send(made, frames, timeout_s)


@call
def send_and_drain(
    interface: str, destination: str, lengths: list[int], first: int = 0, timeout_s: float = 10.0
) -> dict[str, float]:
    """Do as `send_numbered`, all at once, and wait until the interface counted every frame as sent.

    Answers sent (how many it counted in `timeout_s`), seconds, and the bytes that the queue took.
    """
    source = _own_address(interface)
    frames = [
        numbered(destination, source, length, first + at) for at, length in enumerate(lengths)
    ]
    before = packet.sent(interface)
    begun = time.monotonic()
    with packet.opened(interface, 0) as made:
        taken = packet.send(made, frames, timeout_s)
    while packet.sent(interface) - before < len(frames) and time.monotonic() - begun < timeout_s:
        time.sleep(0.001)
    return {
        "sent": packet.sent(interface) - before,
        "seconds": time.monotonic() - begun,
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
) -> Generator[None, None, dict[str, object]]:
    """Hear `count` frames, or up to the one that contains `until`, or what comes
    in `timeout_s` once ready.

    The memberships last as long as the call. Answers frames (tag put back, no FCS), whether the
    kernel holds each one's checksum for verified, and how many this socket had no room for.
    """
    with packet.opened(interface, ethertype) as made:
        for group in multicast or []:
            packet.join(made, interface, packet.PACKET_MR_MULTICAST, mac(group))
        if promisc:
            packet.join(made, interface, packet.PACKET_MR_PROMISC)
        if allmulti:
            packet.join(made, interface, packet.PACKET_MR_ALLMULTI)
        if multicast or promisc or allmulti:
            ethtool.settle(interface)
        yield
        heard = packet.receive(made, count, timeout_s, until)
        return {
            "frames": heard.frames,
            "checksum_valid": heard.checksum_valid,
            "drops": packet.drops(made),
        }


@listen
def echo(
    interface: str, count: int, timeout_s: float = 2.0
) -> Generator[None, None, dict[str, object]]:
    """Send each numbered frame back to where it came from, `count` times,
    and answer those that came.

    The sender paces itself by what comes back: no more than there is room for is ever on its way.
    Ends after `timeout_s` of silence.
    """
    # All types are listened to: a socket for one type gets tagged frames without their tag.
    with packet.opened(interface) as made:
        yield
        heard = packet.Heard()
        frames: list[bytes] = []
        made.settimeout(timeout_s)
        while len(frames) < count:
            try:
                frame = heard.take(made)
            except socket.timeout:
                break
            if frame is not None and is_numbered(frame):
                frames.append(frame)
                made.send(frame[6:12] + frame[:6] + frame[12:])
        return {"frames": frames, "drops": packet.drops(made)}


@call
def exchange_arp(interface: str, source: str, target: str, timeout_s: float = 2.0) -> str:
    """Ask by ARP, in the clear, who has `target`, and return the Ethernet
    address; "" when nobody answers.
    """
    own = _own_address(interface)
    asked = ethernet(
        "ff:ff:ff:ff:ff:ff", own, ETH_P_ARP, arp(1, (own, source), ("00:00:00:00:00:00", target))
    )
    with packet.opened(interface, ETH_P_ARP) as made:
        made.send(asked)
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            for frame in packet.receive(made, 1, left).frames:
                if frame[20:22] == b"\0\2" and frame[28:32] == asked[38:42]:
                    return frame[22:28].hex(":")
    return ""
