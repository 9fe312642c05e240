"""One call that readies an interface for a check, and one that leaves it as it was."""
from __future__ import annotations

import contextlib
import os
import time

from drivers.agent.call import call
from drivers.net import addresses
from drivers.uapi.if_link import set_link
from drivers.uapi.netdev import has_carrier, is_up
from drivers.uapi.sysfs import read, write

SYSCTLS = ("ipv6/conf/default/disable_ipv6", "ipv6/conf/{}/disable_ipv6")


def write_sysctl(name: str, value: str) -> str:
    """Set /proc/sys/net/`name` and return what it was."""
    path = f"/proc/sys/net/{name}"
    before = read(path)
    if before != value:
        write(path, value)
    return before


@call
def enter(
    interface: str, address: str, partner: str, partner_mac: str = "", ipv6: bool = False, timeout_s: float = 3.0
) -> dict[str, object]:
    """Set the interface up with `address`/24 and wait for its carrier.

    `partner_mac` makes the neighbour `partner` known for good, so that no ARP is in the way; without `ipv6` the
    interface says nothing of its own.  Answers what `leave` needs, and the interface's own mac.
    """
    was: dict[str, object] = {"up": is_up(interface), "address": address, "partner": partner, "sysctls": {}}
    sysctls: dict[str, str] = {}
    for template in SYSCTLS:
        name = template.format(interface)
        if os.path.exists(os.path.join("/proc/sys/net", name)):
            sysctls[template] = write_sysctl(name, "0" if ipv6 else "1")
    set_link(interface, up=True)
    addresses.add_address(interface, address)
    if partner_mac:
        addresses.set_neighbour(interface, partner, partner_mac)
    deadline = time.monotonic() + timeout_s
    while not has_carrier(interface):
        if time.monotonic() >= deadline:
            raise TimeoutError(f"{interface}: no carrier {timeout_s} s after it was set up: is the cable plugged in?")
        time.sleep(0.001)
    return {**was, "sysctls": sysctls, "mac": read(f"/sys/class/net/{interface}/address")}


@call
def leave(interface: str, was: dict[str, object]) -> None:
    """Undo what `enter` answered; an interface that is gone needs no undoing."""
    if not os.path.exists(f"/sys/class/net/{interface}"):
        return
    with contextlib.suppress(OSError):  # the check may have taken them away itself
        addresses.set_neighbour(interface, str(was["partner"]))
    with contextlib.suppress(OSError):
        addresses.remove_address(interface, str(was["address"]))
    set_link(interface, up=bool(was["up"]))
    sysctls = was["sysctls"]
    assert isinstance(sysctls, dict)
    for template, value in sysctls.items():
        write_sysctl(template.format(interface), value)
