"""Calls on what only the DM9000's driver has: its probe line, module parameters, rebind and reload.

Ref: drivers/net/ethernet/davicom/dm9000.c
"""
from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import TypedDict

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
SAMPLES = 10  # of the slab caches in a long run: each takes time
PROBE = re.compile(
    r"(?P<interface>\S+): dm9000(?P<revision>[eab?]) at \S+ IRQ (?P<irq>\d+)"
    r" MAC: (?P<mac>\S+) \((?P<source>[^)]*)\)"
)


class Bound(TypedDict):
    """What is in use after the driver was bound; none of it may grow from one bind to the next."""

    interface: str
    seconds: float  # until the interface was there
    references: int  # use count of the module
    fds: int  # open files of the agent
    handlers: int  # interrupt handlers of the interface's name
    slab: dict[str, int]  # objects by cache; empty except for SAMPLES of several binds


@call
def eeprom_magic() -> int:
    """The magic that dm9000_set_eeprom expects: "DM9K"."""
    return 0x444D394B


@call
def parameters() -> dict[str, str]:
    """The module's parameters as sysfs shows them."""
    folder = f"/sys/module/{DRIVER}/parameters"
    return {name: read(f"{folder}/{name}") for name in sorted(os.listdir(folder))}


@call
def probe_line(since: int = 0) -> dict[str, str]:
    """The driver's last log line of a probe: interface, revision (e, a, b),
    irq, mac, source of mac.

    `since` is a sequence number of the kernel's log; empty when there is no such line after it.
    """
    for record in reversed(kmsg(since)["records"]):
        match = PROBE.search(record["text"])
        if match:
            return match.groupdict()
    return {}


def _repeat(
    interface: str, times: int, step: Callable[[str], object], up: bool
) -> list[Bound]:
    """Do `step(device)` and wait for the interface, `times` times."""
    device = identity(interface)["device"]
    states: list[Bound] = []
    for number in range(times):
        begun = time.monotonic()
        step(device)
        name = interface_of(device, 5.0)
        if not name:
            raise TimeoutError(f"{device} has no interface 5 s after it was bound")
        if up:
            set_link(name, up=True)
        seconds = time.monotonic() - begun
        sampled = times > 1 and number % max(1, times // SAMPLES) == 0
        if sampled:
            shrink_caches()
        states.append({
            "interface": name,
            "seconds": seconds,
            "references": int(read(f"/sys/module/{DRIVER}/refcnt")),
            "fds": len(os.listdir("/proc/self/fd")),
            "handlers": handler_names().count(name),
            "slab": slab() if sampled else {},
        })  # fmt: skip
    return states


@call
def rebind(interface: str, times: int = 1, up: bool = True) -> list[Bound]:
    """Unbind and bind the interface's device `times` times and set it up; the state after each."""
    return _repeat(interface, times, lambda device: rebind_device("platform", DRIVER, device), up)


@call
def reload(
    interface: str, times: int = 1, up: bool = True, options: str = ""
) -> list[Bound]:
    """Unload and load the driver's module `times` times and set the interface up; as `rebind`."""

    def step(_: str) -> None:
        unload_module(DRIVER)
        load_module(DRIVER, options)

    return _repeat(interface, times, step, up)
