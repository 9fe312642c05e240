"""Calls on any network interface; those with more to them live beside this file and are named at its end."""
from __future__ import annotations

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
from drivers.net.link_setup import enter, leave, write_sysctl
from drivers.net.packet_calls import capture, echo, exchange_arp, send_and_drain, send_frames, send_numbered
from drivers.uapi import rtnetlink
from drivers.uapi.if_link import decode_link, link, set_link, statistics
from drivers.uapi.netdev import has_carrier, identity, interface_of

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
                heard.append({**decode_link(body), "at_s": at - begun})
                if heard[-1]["running"] == wanted:
                    return heard
    raise TimeoutError(f"{interface}: no notice of carrier {wanted} in {timeout_s} s, heard {heard}")


@call
def set_sysctl(name: str, value: str) -> str:
    """Set /proc/sys/net/`name` and return what it was."""
    return write_sysctl(name, value)
