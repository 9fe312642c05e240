"""Calls on what only the DM9000's driver has: its probe line, its parameters, its life from bind to unbind."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable

from drivers.agent.call import call
from drivers.uapi.if_link import set_link
from drivers.uapi.interrupts import handler_names
from drivers.uapi.kmsg import kmsg
from drivers.uapi.modules import load_module, unload_module
from drivers.uapi.netdev import identity, interface_of
from drivers.uapi.slabinfo import shrink_caches, slab
from drivers.uapi.sysfs import read
from drivers.uapi.sysfs import rebind as rebind_device

__all__ = ["eeprom_magic", "parameters", "probe_line", "rebind", "reload"]

DRIVER = "dm9000"
PROBE = re.compile(
    r"(?P<interface>\S+): dm9000(?P<revision>[eab?]) at \S+ IRQ (?P<irq>\d+) MAC: (?P<mac>\S+) \((?P<source>[^)]*)\)"
)


@call
def eeprom_magic() -> int:
    """The magic that dm9000_set_eeprom asks for: "DM9K"."""
    return 0x444D394B


@call
def parameters() -> dict[str, str]:
    """The module's parameters as sysfs shows them."""
    folder = f"/sys/module/{DRIVER}/parameters"
    return {name: read(f"{folder}/{name}") for name in sorted(os.listdir(folder))}


@call
def probe_line(since: int = 0) -> dict[str, str]:
    """What the driver said when it was bound last: interface, revision (e, a, b), irq, mac, source of the mac.

    `since` is a sequence number of the kernel's log; empty when it said nothing since then.
    """
    for record in reversed(kmsg(since)["records"]):
        match = PROBE.search(record["text"])
        if match:
            return match.groupdict()
    return {}


SAMPLES = 10  # of the slab caches in a long run: each takes time


def _state(interface: str, with_slab: bool) -> dict[str, object]:
    """What must not grow from one life of the driver to the next."""
    if with_slab:
        shrink_caches()
    return {
        "references": int(read(f"/sys/module/{DRIVER}/refcnt")),
        "fds": len(os.listdir("/proc/self/fd")),
        "handlers": handler_names().count(interface),
        "slab": slab() if with_slab else {},
    }


def _again(
    interface: str, times: int, step: Callable[[str], object], up: bool
) -> list[dict[str, object]]:
    """Do `step(device)` and find the interface again, `times` times; what was in use after each."""
    device = identity(interface)["device"]
    states = []
    for number in range(times):
        begun = time.monotonic()
        step(device)
        found = interface_of(device, 5.0)
        if not found:
            raise TimeoutError(f"{device} has no interface 5 s after it was bound")
        if up:
            set_link(found, up=True)
        seconds = time.monotonic() - begun
        sampled = times > 1 and number % max(1, times // SAMPLES) == 0
        states.append({**_state(found, sampled), "interface": found, "seconds": seconds})
    return states


@call
def rebind(interface: str, times: int = 1, up: bool = True) -> list[dict[str, object]]:
    """Unbind and bind the interface's device `times` times, and set it up again.

    Answers for each time: interface, seconds, and what is in use then: references of the module, the agent's open
    files, interrupt handlers of the interface's name, and at ten of them objects in each slab cache.
    """

    def step(device: str) -> None:
        rebind_device("platform", DRIVER, device)

    return _again(interface, times, step, up)


@call
def reload(
    interface: str, times: int = 1, up: bool = True, options: str = ""
) -> list[dict[str, object]]:
    """Unload and load the driver's module `times` times, and set the interface up again; answers as `rebind`."""

    def step(_: str) -> None:
        unload_module(DRIVER)
        load_module(DRIVER, options)

    return _again(interface, times, step, up)
