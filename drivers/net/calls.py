"""Calls on any network interface; those with more to them live beside this file and are named at its end."""
from __future__ import annotations

import os
import struct
import sys
import time
from collections.abc import Generator

from drivers.agent.call import call, listen
from drivers.net.addresses import (
    add_address,
    add_vlan,
    neighbours,
    qdiscs,
    remove_address,
    remove_link,
    set_neighbour,
)
from drivers.net.ethtool_calls import (
    driver_info,
    features,
    link_settings,
    message_level,
    mii_read,
    mii_write,
    poll_ethtool,
    read_eeprom,
    registers,
    restart_link,
    set_features,
    write_eeprom,
)
from drivers.net.ip_calls import connect_tcp, hear_udp, ping, send_udp, snmp
from drivers.net.link_setup import enter, has_carrier, leave, write_sysctl
from drivers.net.packet_calls import capture, echo, exchange_arp, send_and_drain, send_frames, send_numbered
from drivers.uapi import ethtool, rtnetlink
from drivers.uapi.rtnetlink import IFF_ALLMULTI, IFF_PROMISC, IFF_RUNNING, IFF_UP, attribute

__all__ = [
    "add_address",
    "add_vlan",
    "capture",
    "carrier",
    "connect_tcp",
    "driver_info",
    "echo",
    "enter",
    "exchange_arp",
    "features",
    "hear_udp",
    "identity",
    "interface_of",
    "leave",
    "link",
    "link_settings",
    "message_level",
    "mii_read",
    "mii_write",
    "neighbours",
    "ping",
    "poll_ethtool",
    "qdiscs",
    "read_eeprom",
    "registers",
    "remove_address",
    "remove_link",
    "restart_link",
    "send_and_drain",
    "send_frames",
    "send_numbered",
    "send_udp",
    "set_features",
    "set_link",
    "set_neighbour",
    "set_sysctl",
    "snmp",
    "statistics",
    "wait_carrier",
    "watch_link",
    "write_eeprom",
]



def _read(path: str) -> str:
    try:
        with open(path) as opened:
            return opened.read().rstrip("\n\0")
    except FileNotFoundError:
        return ""


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as opened:
            return opened.read()
    except FileNotFoundError:
        return b""


@call
def identity(interface: str) -> dict[str, str]:
    """Who drives the interface: driver, module, device, modalias, devicetree node, compatible and address.

    What there is none of is "".
    """
    base = f"/sys/class/net/{interface}"
    rtnetlink.index(interface)

    def target(name: str) -> str:
        path = f"{base}/device/{name}"
        return os.path.basename(os.path.realpath(path)) if os.path.exists(path) else ""

    node = os.path.realpath(f"{base}/device/of_node")
    return {
        "driver": target("driver"),
        "module": target("driver/module"),
        "device": os.path.basename(os.path.realpath(f"{base}/device")) if os.path.exists(f"{base}/device") else "",
        "modalias": _read(f"{base}/device/modalias"),
        "of_node": node.partition("/devicetree/base")[2],
        "compatible": _read(f"{node}/compatible").replace("\0", ","),
        "devicetree_address": _bytes(f"{node}/local-mac-address").hex(":"),
        "address": _read(f"{base}/address"),
        "address_assign_type": _read(f"{base}/addr_assign_type"),
    }


@call
def interface_of(device: str, timeout_s: float = 2.0) -> str:
    """The name of the interface that a platform device has, waiting for it up to `timeout_s`; "" when none came."""
    deadline = time.monotonic() + timeout_s
    while True:
        for bus in ("platform", "pci", "virtio", "usb"):
            folder = f"/sys/bus/{bus}/devices/{device}/net"
            names = os.listdir(folder) if os.path.isdir(folder) else []
            if names:
                return names[0]
        if time.monotonic() >= deadline:
            return ""
        time.sleep(0.002)


def _link(body: bytes) -> dict[str, object]:
    _, _, index, flags, _ = rtnetlink.IFINFO.unpack_from(body)
    found = rtnetlink.attributes(body[rtnetlink.IFINFO.size :])

    def number(kind: int) -> int:
        return int.from_bytes(found.get(kind, b""), sys.byteorder)

    return {
        "index": index,
        "name": ethtool.text(found.get(rtnetlink.IFLA_IFNAME, b"")),
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
        "address": found.get(rtnetlink.IFLA_ADDRESS, b"").hex(":"),
        "qdisc": ethtool.text(found.get(rtnetlink.IFLA_QDISC, b"")),
        "txqlen": number(rtnetlink.IFLA_TXQLEN),
    }


def _ask_link(interface: str) -> bytes:
    with rtnetlink.Route() as route:
        body = rtnetlink.IFINFO.pack(0, 0, rtnetlink.index(interface), 0, 0)
        return route.request(rtnetlink.RTM_GETLINK, body)[0]


@call
def link(interface: str) -> dict[str, object]:
    """The interface's state as rtnetlink tells it: flags, carrier, operstate, MTU, address, qdisc."""
    return _link(_ask_link(interface))


@call
def statistics(interface: str) -> dict[str, int]:
    """rtnl_link_stats64 by the kernel's own names."""
    found = rtnetlink.attributes(_ask_link(interface)[rtnetlink.IFINFO.size :])[rtnetlink.IFLA_STATS64]
    return dict(zip(rtnetlink.STATS64, struct.unpack(f"={len(found) // 8}Q", found)))


@call
def set_link(
    interface: str,
    up: bool | None = None,
    mtu: int | None = None,
    address: str | None = None,
    promisc: bool | None = None,
    allmulti: bool | None = None,
) -> None:
    """Change what is given and leave the rest."""
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


@call
def carrier(interface: str, wanted: bool, timeout_s: float) -> float:
    """Wait until the driver's carrier is as wanted and return the seconds it took; TimeoutError after `timeout_s`.

    Reads /sys/class/net, which linkwatch does not delay as it delays netlink notices.
    """
    begun = time.monotonic()
    while time.monotonic() - begun < timeout_s:
        if has_carrier(interface) == wanted:
            return time.monotonic() - begun
        time.sleep(0.001)
    raise TimeoutError(f"{interface}: carrier not {wanted} in {timeout_s} s")


@listen
def wait_carrier(interface: str, wanted: bool, timeout_s: float = 2.0) -> Generator[None, None, float]:
    """Be ready, then do as `carrier` does."""
    rtnetlink.index(interface)
    yield
    return float(carrier(interface, wanted, timeout_s))


@listen
def watch_link(
    interface: str, wanted: bool, timeout_s: float = 2.0, quiet_s: float = 0.0
) -> Generator[None, None, list[dict[str, object]]]:
    """Hear the link's netlink notices until one has the carrier as `wanted`.

    Ready once no notice came for `quiet_s`: linkwatch sends at most one batch a second when a link goes down.
    Each notice is a link with "at_s", seconds since ready; a watch that ends without the wanted one is a timeout.
    """
    number = rtnetlink.index(interface)
    heard: list[dict[str, object]] = []
    with rtnetlink.Route(rtnetlink.RTMGRP_LINK) as route:
        last = time.monotonic()
        while quiet_s and time.monotonic() - last < quiet_s:
            last = max([last, *(at for at, _, _ in route.events(last + quiet_s - time.monotonic()))])
        yield
        begun = time.monotonic()
        for at, kind, body in route.events(timeout_s):
            if kind == rtnetlink.RTM_NEWLINK and rtnetlink.IFINFO.unpack_from(body)[2] == number:
                heard.append({**_link(body), "at_s": at - begun})
                if heard[-1]["running"] == wanted:
                    return heard
    raise TimeoutError(f"{interface}: no notice of carrier {wanted} in {timeout_s} s, heard {heard}")


@call
def set_sysctl(name: str, value: str) -> str:
    """Set /proc/sys/net/`name` and return what it was."""
    return write_sysctl(name, value)
