"""Set an interface up for a check, and restore it."""
from __future__ import annotations

import contextlib
import os
import time
from typing import TypedDict

from drivers.agent.call import call
from drivers.net import addresses
from drivers.uapi.if_link import set_link
from drivers.uapi.netdev import has_carrier, is_up
from drivers.uapi.sysfs import read, write

SYSCTLS = ("ipv6/conf/default/disable_ipv6", "ipv6/conf/{}/disable_ipv6")


def write_sysctl(name: str, value: str) -> str:
    """Set /proc/sys/net/`name` and return the value before."""
    path = f"/proc/sys/net/{name}"
    before = read(path)
    if before != value:
        write(path, value)
    return before


class LinkSetup(TypedDict):
    """What `restore_link` needs to undo `set_up_link`, and the interface's own Ethernet address."""

    up: bool  # before
    address: str
    partner: str
    sysctls: dict[str, str]  # values before
    mac: str


@call
def set_up_link(
    interface: str,
    address: str,
    partner: str,
    partner_mac: str = "",
    ipv6: bool = False,
    timeout_s: float = 3.0,
) -> LinkSetup:
    """Set the interface up with `address`/24 and wait for its carrier.

    `partner_mac` adds a permanent neighbour entry for `partner`, so that no ARP interferes; without
    `ipv6` the interface sends nothing of its own.
    """
    was_up = is_up(interface)
    sysctls: dict[str, str] = {}
    for template in SYSCTLS:
        name = template.format(interface)
        if os.path.exists(os.path.join("/proc/sys/net", name)):
            sysctls[template] = write_sysctl(name, "0" if ipv6 else "1")
    set_link(interface, up=True)
    addresses.add_address(interface, address)
    if partner_mac:
        addresses.set_neighbour(interface, partner, partner_mac)
    wait_for_carrier(interface, True, timeout_s)
    mac = read(f"/sys/class/net/{interface}/address")
    return {"up": was_up, "address": address, "partner": partner, "sysctls": sysctls, "mac": mac}


@call
def wait_for_carrier(interface: str, wanted: bool, timeout_s: float) -> float:
    """Wait until the driver's carrier is as wanted and return the seconds it took.

    Reads /sys/class/net, which linkwatch does not delay as it delays netlink notifications.
    TimeoutError after `timeout_s`.
    """
    started = time.monotonic()
    while time.monotonic() - started < timeout_s:
        if has_carrier(interface) == wanted:
            return time.monotonic() - started
        time.sleep(0.001)
    raise TimeoutError(
        f"{interface}: carrier not {wanted} in {timeout_s} s: is the cable plugged in?"
    )


@call
def restore_link(interface: str, state: LinkSetup) -> None:
    """Undo `set_up_link`; an interface that is gone needs no undoing."""
    if not os.path.exists(f"/sys/class/net/{interface}"):
        return
    with contextlib.suppress(OSError):  # the check may have removed them itself
        addresses.set_neighbour(interface, state["partner"])
    with contextlib.suppress(OSError):
        addresses.remove_address(interface, state["address"])
    set_link(interface, up=state["up"])
    for template, value in state["sysctls"].items():
        write_sysctl(template.format(interface), value)
