"""Calls on any network interface; larger ones are in modules beside this file
and are named at its end.
"""
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
from drivers.net.ip_calls import connect_tcp, ping, recv_udp, send_udp, snmp
from drivers.net.link_setup import restore_link, set_up_link, wait_for_carrier, write_sysctl
from drivers.net.packet_calls import (
    capture,
    echo,
    exchange_arp,
    send_and_drain,
    send_frames,
    send_numbered,
)
from drivers.uapi import rtnetlink
from drivers.uapi.if_link import LinkState, decode_link, link, set_link, statistics
from drivers.uapi.netdev import identity, interface_of

__all__ = [
    "add_address",
    "add_vlan",
    "capture",
    "connect_tcp",
    "driver_info",
    "echo",
    "exchange_arp",
    "features",
    "identity",
    "interface_of",
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
    "recv_udp",
    "registers",
    "remove_address",
    "remove_link",
    "restart_link",
    "restore_link",
    "send_and_drain",
    "send_frames",
    "send_numbered",
    "send_udp",
    "set_features",
    "set_link",
    "set_neighbour",
    "set_sysctl",
    "set_up_link",
    "snmp",
    "statistics",
    "wait_for_carrier",
    "watch_carrier",
    "watch_link",
    "write_eeprom",
]


@listen
def watch_carrier(
    interface: str, wanted: bool, timeout_s: float = 2.0
) -> Generator[None, None, float]:
    """Be ready, then do as `wait_for_carrier` does."""
    rtnetlink.index(interface)
    yield
    return wait_for_carrier(interface, wanted, timeout_s)


class LinkNotification(LinkState):
    """An RTM_NEWLINK with its time of arrival."""

    at_s: float  # since ready


@listen
def watch_link(
    interface: str, wanted: bool, timeout_s: float = 2.0, quiet_s: float = 0.0
) -> Generator[None, None, list[LinkNotification]]:
    """Collect the link's netlink notifications until one has the carrier as `wanted`.

    Ready once none came for `quiet_s`: linkwatch sends at most one batch a second when a link goes
    down. TimeoutError when the wanted one did not come.
    """
    number = rtnetlink.index(interface)
    received: list[LinkNotification] = []
    with rtnetlink.Route(rtnetlink.RTMGRP_LINK) as route:
        last = time.monotonic()
        while quiet_s and time.monotonic() - last < quiet_s:
            left = last + quiet_s - time.monotonic()
            last = max([last, *(at for at, _, _ in route.events(left))])
        yield
        started = time.monotonic()
        for at, kind, body in route.events(timeout_s):
            if kind == rtnetlink.RTM_NEWLINK and rtnetlink.IFINFO.unpack_from(body)[2] == number:
                received.append({**decode_link(body), "at_s": at - started})
                if received[-1]["running"] == wanted:
                    return received
    raise TimeoutError(
        f"{interface}: no notification of carrier {wanted} in {timeout_s} s, received {received}"
    )


@call
def set_sysctl(name: str, value: str) -> str:
    """Set /proc/sys/net/`name` and return the value before."""
    return write_sysctl(name, value)
