"""Every device of every bus, with the driver that it is bound to.   Ref: Documentation/filesystems/sysfs.rst"""
from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass
from typing import Dict, List, Optional

BUSES = "/sys/bus"
INSTANCE = re.compile(r"\.[0-9A-F]{4}$")  # HID
GONE = (errno.ENOENT, errno.ENODEV, errno.ENOTDIR, errno.ENXIO)


def read(path: str) -> str:
    """The file's text without white space at its ends; "" when there is none, or none any more."""
    try:
        with open(path, errors="replace") as opened:
            return opened.read().strip()
    except OSError as error:
        if error.errno in (*GONE, errno.EINVAL, errno.EIO, errno.EACCES, errno.EPERM):  # not to be read, or not now
            return ""
        raise


def target_name(link: str) -> str:
    """The last part of where a symbolic link leads; "" when it is not there."""
    try:
        return os.path.basename(os.readlink(link))
    except OSError:
        return ""


@dataclass(frozen=True)
class Device:
    """A device on a bus: its names, its folder in /sys/devices, its driver and that driver's module ("" for none)."""

    id: str
    bus: str
    name: str
    path: str
    driver: str
    module: str

    @property
    def driver_folder(self) -> str:
        """Where bind and unbind are."""
        return "%s/%s/drivers/%s" % (BUSES, self.bus, self.driver)


def devices() -> List[Device]:
    """Every device on every bus, bound or not, by bus and name."""
    found: List[Device] = []
    seen: Dict[str, int] = {}
    for bus in sorted(os.listdir(BUSES)):
        folder = "%s/%s/devices" % (BUSES, bus)
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            link = "%s/%s" % (folder, name)
            path = _resolved(link)
            place = "%s/%s" % (bus, _place(bus, name, path))
            seen[place] = seen.get(place, 0) + 1
            ident = place if seen[place] == 1 else "%s#%d" % (place, seen[place])
            module = target_name(link + "/driver/module")
            if module and not os.path.exists("/sys/module/%s/initstate" % module):
                module = ""  # it would be one, but it is built in
            found.append(Device(ident, bus, name, path, target_name(link + "/driver"), module))
    return found


def _place(bus: str, name: str, path: str) -> str:
    """Where a device is, for a bus that numbers its devices anew each time that they appear."""
    if bus == "hid":
        return INSTANCE.sub("", name)
    if bus == "gpio":
        return "gpiochip of %s" % os.path.basename(os.path.dirname(path))
    return name


def bound() -> List[Device]:
    """Those that have a driver."""
    return [device for device in devices() if device.driver]


def find(ident: str) -> Device:
    """The device with this id, bound or not.  ENODEV when it is not there."""
    for device in devices():
        if device.id == ident:
            return device
    raise OSError(errno.ENODEV, "there is no device %s in %s" % (ident, BUSES))


def below(folder: str, path: str) -> bool:
    """Whether `path` is `folder` or something in it."""
    return path == folder or path.startswith(folder + "/")


def all_nodes() -> Dict[str, str]:
    """Each node in /dev, and each network interface as `net:eth0` → the folder of what it stands for."""
    found = {"net:" + name: _resolved("/sys/class/net/" + name) for name in os.listdir("/sys/class/net")}
    for folder, names, files in os.walk("/dev"):
        names[:] = [name for name in names if name not in ("shm", "pts", "fd")]  # made by programs
        for name in files:
            node = os.path.join(folder, name)
            found[node] = folder_of(node)
    return found


def nodes(path: str, among: Optional[Dict[str, str]] = None) -> List[str]:
    """The nodes of a device and of what is below it; `among` is `all_nodes()` when it is known."""
    known = all_nodes() if among is None else among
    return sorted(node for node, folder in known.items() if folder and below(path, folder))


def folder_of(node: str) -> str:
    """The folder in /sys/devices of what a node stands for; "" for anything that is no device node."""
    try:
        status = os.stat(node)
    except OSError:
        return ""  # gone meanwhile
    kind = "char" if stat.S_ISCHR(status.st_mode) else "block" if stat.S_ISBLK(status.st_mode) else ""
    if not kind:
        return ""
    return _resolved("/sys/dev/%s/%d:%d" % (kind, os.major(status.st_rdev), os.minor(status.st_rdev)))


def _resolved(link: str) -> str:
    """Where one link of sysfs leads; realpath would ask for each part of it."""
    try:
        return os.path.normpath(os.path.join(os.path.dirname(link), os.readlink(link)))
    except OSError:
        return ""
