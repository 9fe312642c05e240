"""A network interface's state and counters by rtnetlink.

Ref: rtnetlink(7); include/uapi/linux/if_link.h
"""
from __future__ import annotations

import struct
import sys
from typing import TypedDict

from drivers.agent.call import call
from drivers.uapi import ethtool, rtnetlink
from drivers.uapi.rtnetlink import IFF_ALLMULTI, IFF_PROMISC, IFF_RUNNING, IFF_UP, attribute


class LinkState(TypedDict):
    """RTM_NEWLINK, decoded: IFF_ flags, IFLA_ attributes by their names in lower case."""

    index: int
    name: str
    flags: int
    up: bool
    running: bool
    promisc: bool
    promiscuity: int
    allmulti: bool
    carrier: bool
    carrier_changes: int
    operstate: str
    mtu: int
    address: str
    qdisc: str
    txqlen: int


def decode_link(body: bytes) -> LinkState:
    """Decode the payload of an RTM_NEWLINK message."""
    _, _, index, flags, _ = rtnetlink.IFINFO.unpack_from(body)
    attributes = rtnetlink.attributes(body[rtnetlink.IFINFO.size :])

    def number(kind: int) -> int:
        return int.from_bytes(attributes.get(kind, b""), sys.byteorder)

    return {
        "index": index,
        "name": ethtool.text(attributes.get(rtnetlink.IFLA_IFNAME, b"")),
        "flags": flags,
        "up": bool(flags & IFF_UP),
        "running": bool(flags & IFF_RUNNING),
        "promisc": bool(flags & IFF_PROMISC),
        "promiscuity": number(rtnetlink.IFLA_PROMISCUITY),
        "allmulti": bool(flags & IFF_ALLMULTI),
        "carrier": bool(number(rtnetlink.IFLA_CARRIER)),
        "carrier_changes": number(rtnetlink.IFLA_CARRIER_CHANGES),
        "operstate": rtnetlink.OPERSTATES[number(rtnetlink.IFLA_OPERSTATE)],
        "mtu": number(rtnetlink.IFLA_MTU),
        "address": attributes.get(rtnetlink.IFLA_ADDRESS, b"").hex(":"),
        "qdisc": ethtool.text(attributes.get(rtnetlink.IFLA_QDISC, b"")),
        "txqlen": number(rtnetlink.IFLA_TXQLEN),
    }


def _get_link(interface: str) -> bytes:
    with rtnetlink.Route() as route:
        body = rtnetlink.IFINFO.pack(0, 0, rtnetlink.index(interface), 0, 0)
        return route.request(rtnetlink.RTM_GETLINK, body)[0]


@call
def link(interface: str) -> LinkState:
    """The interface's state from RTM_GETLINK: flags, carrier, operstate, MTU, address, qdisc."""
    return decode_link(_get_link(interface))


@call
def statistics(interface: str) -> dict[str, int]:
    """rtnl_link_stats64 by the kernel's own names."""
    attributes = rtnetlink.attributes(_get_link(interface)[rtnetlink.IFINFO.size :])
    counters = attributes[rtnetlink.IFLA_STATS64]
    return dict(zip(rtnetlink.STATS64, struct.unpack(f"={len(counters) // 8}Q", counters)))


@call
def set_link(
    interface: str,
    up: bool | None = None,
    mtu: int | None = None,
    address: str | None = None,
    promisc: bool | None = None,
    allmulti: bool | None = None,
) -> None:
    """Set the flags, the MTU [bytes] and the Ethernet address that are given;
    None leaves one as it is.
    """
    flags = change = 0
    for wanted, bit in ((up, IFF_UP), (promisc, IFF_PROMISC), (allmulti, IFF_ALLMULTI)):
        if wanted is not None:
            change |= bit
            flags |= bit if wanted else 0
    body = rtnetlink.IFINFO.pack(0, 0, rtnetlink.index(interface), flags, change)
    if mtu is not None:
        body += attribute(rtnetlink.IFLA_MTU, struct.pack("=I", mtu))
    if address is not None:
        body += attribute(rtnetlink.IFLA_ADDRESS, bytes.fromhex(address.replace(":", "")))
    with rtnetlink.Route() as route:
        route.request(rtnetlink.RTM_NEWLINK, body)
