"""Calls on addresses, neighbours, VLAN interfaces and queueing disciplines."""
from __future__ import annotations

import socket
import struct

from drivers.call import call
from drivers.net import ethtool, netlink
from drivers.net.netlink import attribute


def _address(interface: str, address: str, prefix: int) -> bytes:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    data = socket.inet_pton(family, address)
    return (
        netlink.IFADDR.pack(family, prefix, 0, 0, netlink.index(interface))
        + attribute(netlink.IFA_LOCAL, data)
        + attribute(netlink.IFA_ADDRESS, data)
    )


@call
def add_address(interface: str, address: str, prefix: int = 24) -> None:
    """Give the interface an IPv4 or IPv6 address; one that it has is no error."""
    with netlink.Route() as route:
        flags = netlink.NLM_F_CREATE | netlink.NLM_F_REPLACE
        route.request(netlink.RTM_NEWADDR, _address(interface, address, prefix), flags)


@call
def remove_address(interface: str, address: str, prefix: int = 24) -> None:
    """Take the address away."""
    with netlink.Route() as route:
        route.request(netlink.RTM_DELADDR, _address(interface, address, prefix))


@call
def set_neighbour(interface: str, address: str, mac: str = "") -> None:
    """Fix a neighbour's Ethernet address for good, or forget the neighbour when `mac` is ""."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    body = netlink.NDMSG.pack(family, netlink.index(interface), netlink.NUD_PERMANENT, 0, 0)
    body += attribute(netlink.NDA_DST, socket.inet_pton(family, address))
    with netlink.Route() as route:
        if mac:
            body += attribute(netlink.NDA_LLADDR, bytes.fromhex(mac.replace(":", "")))
            route.request(netlink.RTM_NEWNEIGH, body, netlink.NLM_F_CREATE | netlink.NLM_F_REPLACE)
        else:
            route.request(netlink.RTM_DELNEIGH, body)


@call
def neighbours(interface: str) -> dict[str, str]:
    """The interface's IPv4 neighbours: address → Ethernet address, "" while unresolved."""
    number = netlink.index(interface)
    found = {}
    with netlink.Route() as route:
        asked = netlink.NDMSG.pack(socket.AF_INET, 0, 0, 0, 0)
        for body in route.request(netlink.RTM_GETNEIGH, asked, netlink.NLM_F_DUMP):
            if netlink.NDMSG.unpack_from(body)[1] == number:
                parts = netlink.attributes(body[netlink.NDMSG.size :])
                found[socket.inet_ntoa(parts[netlink.NDA_DST])] = parts.get(netlink.NDA_LLADDR, b"").hex(":")
    return found


@call
def add_vlan(interface: str, vlan: int, name: str) -> None:
    """Make the VLAN interface `name` on top of the interface, and set it up."""
    info = attribute(netlink.IFLA_INFO_KIND, b"vlan")
    info += attribute(netlink.IFLA_INFO_DATA, attribute(netlink.IFLA_VLAN_ID, struct.pack("=H", vlan)))
    body = netlink.IFINFO.pack(0, 0, 0, netlink.IFF_UP, netlink.IFF_UP)
    body += attribute(netlink.IFLA_LINK, struct.pack("=I", netlink.index(interface)))
    body += attribute(netlink.IFLA_IFNAME, name.encode() + b"\0") + attribute(netlink.IFLA_LINKINFO, info)
    with netlink.Route() as route:
        route.request(netlink.RTM_NEWLINK, body, netlink.NLM_F_CREATE | netlink.NLM_F_EXCL)


@call
def remove_link(name: str) -> None:
    """Delete a virtual interface."""
    with netlink.Route() as route:
        route.request(netlink.RTM_DELLINK, netlink.IFINFO.pack(0, 0, netlink.index(name), 0, 0))


@call
def qdiscs(interface: str) -> list[dict[str, object]]:
    """Each queueing discipline of the interface: kind, bytes, packets, and what its queue holds and did."""
    number = netlink.index(interface)
    found: list[dict[str, object]] = []
    with netlink.Route() as route:
        for body in route.request(netlink.RTM_GETQDISC, netlink.TCMSG.pack(0, number, 0, 0, 0), netlink.NLM_F_DUMP):
            if netlink.TCMSG.unpack_from(body)[1] != number:
                continue
            parts = netlink.attributes(body[netlink.TCMSG.size :])
            nested = netlink.attributes(parts.get(netlink.TCA_STATS2, b""))
            sent, packets = struct.unpack_from("=QI", nested.get(netlink.TCA_STATS_BASIC, bytes(16)))
            queue = struct.unpack_from("=IIIII", nested.get(netlink.TCA_STATS_QUEUE, bytes(20)))
            counts = dict(zip(("qlen", "backlog", "drops", "requeues", "overlimits"), queue))
            found.append({"kind": ethtool.text(parts[netlink.TCA_KIND]), "bytes": sent, "packets": packets, **counts})
    return found
