"""Devices the bench itself depends on, with the reason: they are never unbound.

Console, agent channel, root device, what these hang on, and their suppliers.
"""
from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from drivers.uapi.devices import Device, below, folder_of
from drivers.uapi.sysfs import UNREADABLE, read

REGION = re.compile(r"^( *)([0-9a-f]+-[0-9a-f]+) : (.*)$")
SUPPLIER_DEPTH = 4  # suppliers of suppliers


class Region(NamedTuple):
    """A line of /proc/iomem."""

    depth: int
    range: str
    name: str


def reasons(devices: list[Device]) -> dict[str, str]:
    """The path of each protected device, with the reason."""
    protected: dict[str, str] = {}
    for path, why in _roots():
        for device in devices:
            if below(device.path, path):
                protected.setdefault(device.path, why)
    windows = regions()
    for device in devices:
        for other in _users_of_window(device, devices, windows):
            protected.setdefault(device.path, f"its registers are those of {other.name}")
    for device in devices:
        for other in devices:
            below_it = other.path in protected and below(device.path, other.path)
            if device.path not in protected and below_it:
                protected[device.path] = f"{other.name} is below it: {protected[other.path]}"
    for _ in range(SUPPLIER_DEPTH):
        _protect_suppliers(devices, protected)
    return protected


def _protect_suppliers(devices: list[Device], protected: dict[str, str]) -> None:
    for device in devices:
        if device.path not in protected:
            continue
        for link in suppliers(device.path):
            for other in devices:
                if below(other.path, link):
                    why = f"{device.name} needs it: {protected[device.path]}"
                    protected.setdefault(other.path, why)


def suppliers(path: str) -> list[str]:
    """The folders of a device's suppliers, from its device links."""
    names = os.listdir(path) if os.path.isdir(path) else []
    links = sorted(name for name in names if name.startswith("supplier:"))
    return [os.path.realpath(f"{path}/{name}/supplier") for name in links]


def _roots() -> Iterator[tuple[str, str]]:
    """The folders of console, agent channel, mounted disks and ssh's
    interfaces, with the reason.
    """
    for name in read("/sys/class/tty/console/active", UNREADABLE).split():
        yield os.path.realpath(f"/sys/class/tty/{name}"), "it carries the console"
    for fd in os.listdir("/proc/self/fd"):
        path = folder_of(f"/proc/self/fd/{fd}")
        if path:
            yield path, "it carries the agent's channel"
    with open("/proc/self/mounts") as mounts:
        for line in mounts:
            source = line.split()[0]
            path = folder_of(source) if source.startswith("/dev/") else ""
            if path:
                yield path, "a file system is mounted from it"
    if os.environ.get("SSH_CONNECTION"):
        for name in os.listdir("/sys/class/net"):
            if read(f"/sys/class/net/{name}/operstate", UNREADABLE) == "up":
                why = "it may carry the connection to the agent"
                yield os.path.realpath(f"/sys/class/net/{name}"), why


def regions() -> list[Region]:
    """Every line of /proc/iomem."""
    with open("/proc/iomem") as lines:
        matches = [REGION.match(line.rstrip("\n")) for line in lines]
    return [Region(len(m.group(1)) // 2, m.group(2), m.group(3)) for m in matches if m]


def _users_of_window(device: Device, devices: list[Device], windows: list[Region]) -> list[Device]:
    """Devices in a register window of this one that are not below it, as a bus bridge's are."""
    users: list[Device] = []
    inside = -1
    for region in windows:
        if inside >= 0 and region.depth <= inside:
            inside = -1
        names = region.name.split()
        if inside >= 0:
            users += [d for d in devices if d.name in names and not below(device.path, d.path)]
        elif device.name in names:
            inside = region.depth
    return [other for other in users if other.path != device.path]
