"""What the kernel holds: the same before a device's life was disturbed and after it has come back.

Numbers that the kernel gives anew each time (hidraw0, input7) are no part of it.
"""
from __future__ import annotations

import contextlib
import os
import re
from typing import Any, Dict, List

from drivers.lifecycle import protected
from drivers.uapi.devices import Device, all_nodes, bound
from drivers.uapi.interrupts import handler_names
from drivers.uapi.modules import use_counts
from drivers.uapi.sysfs import UNREADABLE, read

NUMBER = re.compile(r"\d+")
INSTANCE = re.compile(r"\.[0-9A-F]{4}\b")
DEBUG = "/sys/kernel/debug"
# Large, and no driver's.
LEFT_OUT = {"tracing", "slab", "kprobes", "dynamic_debug", "memblock", "stackdepot"}
DEBUG_DEPTH = 3


def look() -> Dict[str, Any]:
    """Drivers of all devices, nodes, interrupt handlers, claimed registers, entries in debugfs, modules, open files."""
    devices = bound()
    return {
        "drivers": {device.id: device.driver for device in devices},
        "nodes": sorted(NUMBER.sub("N", node) for node in all_nodes()),
        "handlers": handler_names(),
        "regions": sorted("%s %s" % (where, name) for _, where, name in protected.regions()),
        "debugfs": debugfs(),
        "modules": references(),
        "fds": len(os.listdir("/proc/self/fd")),
        "deferred": deferred(),
        "settings": settings(devices),
    }


def debugfs() -> List[str]:
    """The folders of debugfs, but for the deep ones and those that are no driver's."""
    found: List[str] = []
    _folders(DEBUG, "", DEBUG_DEPTH, found)
    return sorted(NUMBER.sub("N", INSTANCE.sub("", name)) for name in found)


def _folders(base: str, name: str, depth: int, found: List[str]) -> None:
    with contextlib.suppress(FileNotFoundError, PermissionError), os.scandir("%s/%s" % (base, name)) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) and entry.name not in LEFT_OUT:
                found.append(name + entry.name)
                if depth > 1:
                    _folders(base, "%s%s/" % (name, entry.name), depth - 1, found)


def references() -> Dict[str, int]:
    """Use count of each module, but for the one that plants a bug for a proof."""
    return {name: count for name, count in use_counts().items() if name != "plant"}


def deferred() -> List[str]:
    """Devices whose probe waits for another one, each with the reason where the kernel knows one."""
    return [" ".join(line.split()) for line in read(DEBUG + "/devices_deferred", UNREADABLE).splitlines()]


def settings(devices: List[Device]) -> Dict[str, str]:
    """driver_override and power/control of each device, as far as it has them."""
    found = {}
    for device in devices:
        values = [read("%s/%s" % (device.path, name), UNREADABLE) for name in ("driver_override", "power/control")]
        found[device.id] = "override %s, power/control %s" % tuple(value or "-" for value in values)
    return found
