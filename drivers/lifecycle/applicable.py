"""Which action can be done to a device, and why another cannot."""
from __future__ import annotations

import errno
import os
from typing import Dict, List

from drivers.lifecycle import protected
from drivers.uapi.devices import Device, bound
from drivers.uapi.sysfs import UNREADABLE, read

NAMES = ("unbind", "leak", "reload", "override", "open", "use", "load", "runtime", "new_id", "defer")


def holders(module: str) -> List[str]:
    """The modules to unload for `module` to go, in order: those that use it first."""
    found: List[str] = []
    folder = "/sys/module/%s/holders" % module
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        found += [one for one in holders(name) if one not in found]
    return [*found, module]


def ids(device: Device) -> str:
    """What new_id takes for this device; "" where its bus has none that is known here."""
    if device.bus == "pci":
        names = [device.path + "/vendor", device.path + "/device"]
    elif device.bus == "usb":
        names = [os.path.dirname(device.path) + "/idVendor", os.path.dirname(device.path) + "/idProduct"]
    else:
        return ""
    return " ".join(read(name, UNREADABLE).replace("0x", "") for name in names).strip()


def bound_supplier(device: Device) -> Device:
    """A device that this one needs and that can be taken away.  ENODEV when there is none."""
    folders = protected.suppliers(device.path)
    for other in bound():
        if other.path in folders and os.path.exists(other.driver_folder + "/unbind"):
            return other
    raise OSError(errno.ENODEV, "no supplier of %s has a driver that can be unbound" % device.id)


def cannot(device: Device, all_devices: List[Device], kept: Dict[str, str]) -> Dict[str, str]:
    """Action → why it cannot be done to this device; actions that can be done are not in it."""
    if device.path in kept:
        return dict.fromkeys(NAMES, kept[device.path])
    found: Dict[str, str] = {}
    if not os.path.exists(device.driver_folder + "/unbind"):
        for name in NAMES:
            if name not in ("reload", "runtime"):
                found[name] = "its driver cannot be unbound through sysfs"
    found.update(_without_module(device, all_devices, kept))
    power = device.path + "/power/"
    if not os.path.exists(device.path + "/driver_override"):
        found.setdefault("override", "the bus has no driver_override")
    if not os.path.exists(device.driver_folder + "/new_id") or not ids(device):
        found.setdefault("new_id", "the driver takes no new ids")
    elif not os.path.exists(device.driver_folder + "/remove_id"):
        found.setdefault("new_id", "a new id could not be taken back")
    found.update(_always_awake(power))
    suppliers = protected.suppliers(device.path)
    named = [one for one in all_devices if one.path in suppliers and os.path.exists(one.driver_folder + "/unbind")]
    if not named:
        found.setdefault("defer", "no device that it needs can be taken away")
    elif any(one.path in kept for one in named):
        found.setdefault("defer", "what it needs is needed by more: %s" % kept[named[0].path])
    return found


def _without_module(device: Device, all_devices: List[Device], kept: Dict[str, str]) -> Dict[str, str]:
    if not device.module:
        return dict.fromkeys(("reload", "load"), "its driver is built in")
    modules = set(holders(device.module))
    for other in all_devices:
        if other.module in modules and other.path in kept:
            return dict.fromkeys(("reload", "load"), "its module also drives %s: %s" % (other.name, kept[other.path]))
    for name in modules:
        users = len(os.listdir("/sys/module/%s/holders" % name))
        if int(read("/sys/module/%s/refcnt" % name, UNREADABLE) or 0) > users:
            return dict.fromkeys(("reload", "load"), "module %s is in use by another driver" % name)
    return {}


def _always_awake(power: str) -> Dict[str, str]:
    status, control = read(power + "runtime_status", UNREADABLE), read(power + "control", UNREADABLE)
    if status not in ("active", "suspended") or not control:
        return {"runtime": "its driver has no runtime power management"}
    usage = int(read(power + "runtime_usage", UNREADABLE) or 0) - (control == "on")
    if usage > 0:
        return {"runtime": "its driver keeps it awake (use count %d)" % usage}
    if int(read(power + "runtime_active_kids", UNREADABLE) or 0):
        return {"runtime": "a device below it is awake"}
    return {}
