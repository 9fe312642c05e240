"""The kernel's state: equal before an action on a device and after the device is back.

Numbers that the kernel assigns each time (hidraw0, input7) are not part of it.
"""
from __future__ import annotations

import contextlib
import os
import re
from typing import TypedDict

from drivers.lifecycle import protected
from drivers.uapi.devices import Device, all_nodes, bound
from drivers.uapi.interrupts import handler_names
from drivers.uapi.modules import SEEDED_BUG, use_counts
from drivers.uapi.sysfs import UNREADABLE, read

NUMBER = re.compile(r"\d+")
INSTANCE = re.compile(r"\.[0-9A-F]{4}\b")
DEBUG = "/sys/kernel/debug"
# Large, and no driver's.
LEFT_OUT = {"tracing", "slab", "kprobes", "dynamic_debug", "memblock", "stackdepot"}
DEBUG_DEPTH = 3


class Snapshot(TypedDict):
    """One snapshot; lists are sorted, a name is in them as often as the kernel has it."""

    drivers: dict[str, str]  # device id → driver
    nodes: list[str]  # in /dev, and network interfaces as net:eth0; numbers replaced by N
    handlers: list[str]  # of interrupts
    regions: list[str]  # of /proc/iomem: range and name
    debugfs: list[str]  # folders
    modules: dict[str, int]  # use counts
    fds: int  # the agent's open files
    deferred: list[str]  # devices_deferred: device and reason
    settings: dict[str, str]  # device id → driver_override and power/control


def take() -> Snapshot:
    """Take a snapshot now."""
    devices = bound()
    return {
        "drivers": {device.id: device.driver for device in devices},
        "nodes": sorted(NUMBER.sub("N", node) for node in all_nodes()),
        "handlers": handler_names(),
        "regions": sorted(f"{region.range} {region.name}" for region in protected.regions()),
        "debugfs": debugfs(),
        "modules": {name: count for name, count in use_counts().items() if name != SEEDED_BUG},
        "fds": len(os.listdir("/proc/self/fd")),
        "deferred": deferred(),
        "settings": settings(devices),
    }


def debugfs() -> list[str]:
    """The folders of debugfs, except deep ones and those that are no driver's."""
    folders: list[str] = []
    _collect(DEBUG, "", DEBUG_DEPTH, folders)
    return sorted(NUMBER.sub("N", INSTANCE.sub("", name)) for name in folders)


def _collect(base: str, name: str, depth: int, folders: list[str]) -> None:
    path = f"{base}/{name}"
    with contextlib.suppress(FileNotFoundError, PermissionError), os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) and entry.name not in LEFT_OUT:
                folders.append(name + entry.name)
                if depth > 1:
                    _collect(base, f"{name}{entry.name}/", depth - 1, folders)


def deferred() -> list[str]:
    """Devices whose probe is deferred, each with the reason where the kernel knows one."""
    lines = read(f"{DEBUG}/devices_deferred", UNREADABLE).splitlines()
    return [" ".join(line.split()) for line in lines]


def settings(devices: list[Device]) -> dict[str, str]:
    """driver_override and power/control of each device, "-" for one that it does not have."""
    values = {}
    for device in devices:
        override = read(f"{device.path}/driver_override", UNREADABLE) or "-"
        control = read(f"{device.path}/power/control", UNREADABLE) or "-"
        values[device.id] = f"override {override}, power/control {control}"
    return values
