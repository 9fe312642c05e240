"""Calls on addresses, neighbours, VLAN interfaces and queueing disciplines."""
from __future__ import annotations

import socket
import struct

from drivers.agent.call import call
from drivers.uapi import ethtool, rtnetlink
from drivers.uapi.rtnetlink import attribute


def _address(interface: str, address: str, prefix: int) -> bytes:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    data = socket.inet_pton(family, address)
    return (
        rtnetlink.IFADDR.pack(family, prefix, 0, 0, rtnetlink.index(interface))
        + attribute(rtnetlink.IFA_LOCAL, data)
        + attribute(rtnetlink.IFA_ADDRESS, data)
    )


@call
def add_address(interface: str, address: str, prefix: int = 24) -> None:
    """Give the interface an IPv4 or IPv6 address; one that it has is no error."""
    with rtnetlink.Route() as route:
        flags = rtnetlink.NLM_F_CREATE | rtnetlink.NLM_F_REPLACE
        route.request(rtnetlink.RTM_NEWADDR, _address(interface, address, prefix), flags)


@call
def remove_address(interface: str, address: str, prefix: int = 24) -> None:
    """Take the address away."""
    with rtnetlink.Route() as route:
        route.request(rtnetlink.RTM_DELADDR, _address(interface, address, prefix))


@call
def set_neighbour(interface: str, address: str, mac: str = "") -> None:
    """Fix a neighbour's Ethernet address for good, or forget the neighbour when `mac` is ""."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    body = rtnetlink.NDMSG.pack(family, rtnetlink.index(interface), rtnetlink.NUD_PERMANENT, 0, 0)
    body += attribute(rtnetlink.NDA_DST, socket.inet_pton(family, address))
    with rtnetlink.Route() as route:
        if mac:
            body += attribute(rtnetlink.NDA_LLADDR, bytes.fromhex(mac.replace(":", "")))
            route.request(
                rtnetlink.RTM_NEWNEIGH, body, rtnetlink.NLM_F_CREATE | rtnetlink.NLM_F_REPLACE
            )
        else:
            route.request(rtnetlink.RTM_DELNEIGH, body)


@call
def neighbours(interface: str) -> dict[str, str]:
    """The interface's IPv4 neighbours: address → Ethernet address, "" while unresolved."""
    number = rtnetlink.index(interface)
    addresses = {}
    with rtnetlink.Route() as route:
        request = rtnetlink.NDMSG.pack(socket.AF_INET, 0, 0, 0, 0)
        for body in route.request(rtnetlink.RTM_GETNEIGH, request, rtnetlink.NLM_F_DUMP):
            if rtnetlink.NDMSG.unpack_from(body)[1] == number:
                parts = rtnetlink.attributes(body[rtnetlink.NDMSG.size :])
                addresses[socket.inet_ntoa(parts[rtnetlink.NDA_DST])] = parts.get(
                    rtnetlink.NDA_LLADDR, b""
                ).hex(":")
    return addresses


@call
def add_vlan(interface: str, vlan: int, name: str) -> None:
    """Make the VLAN interface `name` on top of the interface, and set it up."""
    info = attribute(rtnetlink.IFLA_INFO_KIND, b"vlan")
    info += attribute(
        rtnetlink.IFLA_INFO_DATA, attribute(rtnetlink.IFLA_VLAN_ID, struct.pack("=H", vlan))
    )
    body = rtnetlink.IFINFO.pack(0, 0, 0, rtnetlink.IFF_UP, rtnetlink.IFF_UP)
    body += attribute(rtnetlink.IFLA_LINK, struct.pack("=I", rtnetlink.index(interface)))
    body += attribute(rtnetlink.IFLA_IFNAME, name.encode() + b"\0") + attribute(
        rtnetlink.IFLA_LINKINFO, info
    )
    with rtnetlink.Route() as route:
        route.request(rtnetlink.RTM_NEWLINK, body, rtnetlink.NLM_F_CREATE | rtnetlink.NLM_F_EXCL)


@call
def remove_link(name: str) -> None:
    """Delete a virtual interface."""
    with rtnetlink.Route() as route:
        route.request(
            rtnetlink.RTM_DELLINK, rtnetlink.IFINFO.pack(0, 0, rtnetlink.index(name), 0, 0)
        )


@call
def qdiscs(interface: str) -> list[dict[str, object]]:
    """Each queueing discipline of the interface: kind, bytes, packets, and what
    its queue holds and did.
    """
    number = rtnetlink.index(interface)
    disciplines: list[dict[str, object]] = []
    with rtnetlink.Route() as route:
        request = rtnetlink.TCMSG.pack(0, number, 0, 0, 0)
        for body in route.request(rtnetlink.RTM_GETQDISC, request, rtnetlink.NLM_F_DUMP):
            if rtnetlink.TCMSG.unpack_from(body)[1] != number:
                continue
            parts = rtnetlink.attributes(body[rtnetlink.TCMSG.size :])
            nested = rtnetlink.attributes(parts.get(rtnetlink.TCA_STATS2, b""))
            sent, packets = struct.unpack_from(
                "=QI", nested.get(rtnetlink.TCA_STATS_BASIC, bytes(16))
            )
            queue = struct.unpack_from("=IIIII", nested.get(rtnetlink.TCA_STATS_QUEUE, bytes(20)))
            counts = dict(zip(("qlen", "backlog", "drops", "requeues", "overlimits"), queue))
            disciplines.append(
                {
                    "kind": ethtool.text(parts[rtnetlink.TCA_KIND]),
                    "bytes": sent,
                    "packets": packets,
                    **counts,
                }
            )
    return disciplines
