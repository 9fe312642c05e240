"""Every device of every bus, with the driver that it is bound to and the device nodes that it has.

Ref: Documentation/filesystems/sysfs.rst
"""
from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Mapping
from typing import NamedTuple

from drivers.uapi.sysfs import BUSES, driver_folder, link_name, link_target

INSTANCE = re.compile(r"\.[0-9A-F]{4}$")  # HID


class Device(NamedTuple):
    """A device on a bus: names, folder in /sys/devices, driver and the
    driver's module ("" for none).
    """

    id: str  # bus/name, the same again after a rebind
    bus: str
    name: str
    path: str
    driver: str
    module: str

    @property
    def driver_folder(self) -> str:
        """Where bind and unbind are."""
        return driver_folder(self.bus, self.driver)


def devices() -> list[Device]:
    """Every device on every bus, bound or not, by bus and name."""
    listed: list[Device] = []
    seen: dict[str, int] = {}
    for bus in sorted(os.listdir(BUSES)):
        folder = f"{BUSES}/{bus}/devices"
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            link = f"{folder}/{name}"
            path = link_target(link)
            place = f"{bus}/{_stable_name(bus, name, path)}"
            seen[place] = seen.get(place, 0) + 1
            ident = place if seen[place] == 1 else f"{place}#{seen[place]}"
            module = link_name(f"{link}/driver/module")
            if module and not os.path.exists(f"/sys/module/{module}/initstate"):
                module = ""  # it would be one, but it is built in
            listed.append(Device(ident, bus, name, path, link_name(f"{link}/driver"), module))
    return listed


def _stable_name(bus: str, name: str, path: str) -> str:
    """A name that survives a rebind, for a bus that numbers its devices
    each time that they appear.
    """
    if bus == "hid":
        return INSTANCE.sub("", name)
    if bus == "gpio":
        return f"gpiochip of {os.path.basename(os.path.dirname(path))}"
    return name


def bound() -> list[Device]:
    """The devices that have a driver."""
    return [device for device in devices() if device.driver]


def find(ident: str) -> Device:
    """The device with this id, bound or not.  ENODEV when it is not there."""
    for device in devices():
        if device.id == ident:
            return device
    raise OSError(errno.ENODEV, f"there is no device {ident} in {BUSES}")


def below(folder: str, path: str) -> bool:
    """Whether `path` is `folder` or something in it."""
    return path == folder or path.startswith(folder + "/")


def all_nodes() -> dict[str, str]:
    """Each node in /dev, and each network interface as `net:eth0`, with the
    sysfs folder of its device.
    """
    nodes = {
        f"net:{name}": link_target(f"/sys/class/net/{name}")
        for name in os.listdir("/sys/class/net")
    }
    for folder, names, files in os.walk("/dev"):
        names[:] = [name for name in names if name not in ("shm", "pts", "fd")]  # made by programs
        for name in files:
            node = os.path.join(folder, name)
            nodes[node] = folder_of(node)
    return nodes


def nodes_below(path: str, nodes: Mapping[str, str] | None = None) -> list[str]:
    """The nodes of a device and of what is below it; `nodes` saves reading
    `all_nodes()` each time.
    """
    known = all_nodes() if nodes is None else nodes
    return sorted(node for node, folder in known.items() if folder and below(path, folder))


def folder_of(node: str) -> str:
    """The folder in /sys/devices of the device behind a node; "" for
    anything that is no device node.
    """
    try:
        status = os.stat(node)
    except OSError:
        return ""  # gone meanwhile
    kind = (
        "char" if stat.S_ISCHR(status.st_mode) else "block" if stat.S_ISBLK(status.st_mode) else ""
    )
    if not kind:
        return ""
    return link_target(f"/sys/dev/{kind}/{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}")
