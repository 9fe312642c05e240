"""Which actions are applicable to a device, and why the others are not."""
from __future__ import annotations

import errno
import os

from drivers.lifecycle import protected
from drivers.uapi.devices import Device, bound
from drivers.uapi.sysfs import UNREADABLE, read

NAMES = (
    "unbind", "leak", "reload", "override", "open", "use", "load", "runtime", "new_id", "defer",
)  # fmt: skip


def holders(module: str) -> list[str]:
    """The modules to unload for `module` to go, in order: those that use it first."""
    order: list[str] = []
    folder = f"/sys/module/{module}/holders"
    for user in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        order += [name for name in holders(user) if name not in order]
    return [*order, module]


def ids(device: Device) -> str:
    """What new_id takes for this device; "" for a bus whose format is not known here."""
    if device.bus == "pci":
        paths = [f"{device.path}/vendor", f"{device.path}/device"]
    elif device.bus == "usb":
        parent = os.path.dirname(device.path)
        paths = [f"{parent}/idVendor", f"{parent}/idProduct"]
    else:
        return ""
    return " ".join(read(path, UNREADABLE).replace("0x", "") for path in paths).strip()


def can_unbind(device: Device) -> bool:
    """Whether its driver has unbind in sysfs (it may have suppress_bind_attrs)."""
    return os.path.exists(f"{device.driver_folder}/unbind")


def bound_supplier(device: Device) -> Device:
    """A supplier of the device that can be unbound.  ENODEV when there is none."""
    folders = protected.suppliers(device.path)
    for other in bound():
        if other.path in folders and can_unbind(other):
            return other
    raise OSError(errno.ENODEV, f"no supplier of {device.id} has a driver that can be unbound")


def not_applicable(
    device: Device, devices: list[Device], reserved: dict[str, str]
) -> dict[str, str]:
    """Each action that is not applicable to this device, with the reason.

    `devices` are all bound ones; `reserved` is what `protected.reasons(devices)` returns.
    """
    if device.path in reserved:
        return dict.fromkeys(NAMES, reserved[device.path])
    reasons: dict[str, str] = {}
    if not can_unbind(device):
        why = "its driver cannot be unbound through sysfs"
        reasons.update((name, why) for name in NAMES if name not in ("reload", "runtime"))
    reasons.update(_without_module(device, devices, reserved))
    if not os.path.exists(f"{device.path}/driver_override"):
        reasons.setdefault("override", "the bus has no driver_override")
    if not os.path.exists(f"{device.driver_folder}/new_id") or not ids(device):
        reasons.setdefault("new_id", "the driver takes no new ids")
    elif not os.path.exists(f"{device.driver_folder}/remove_id"):
        reasons.setdefault("new_id", "a new id could not be taken back")
    reasons.update(_always_awake(f"{device.path}/power"))
    folders = protected.suppliers(device.path)
    suppliers = [other for other in devices if other.path in folders and can_unbind(other)]
    if not suppliers:
        reasons.setdefault("defer", "no supplier of it can be unbound")
    elif any(supplier.path in reserved for supplier in suppliers):
        reasons.setdefault("defer", f"its supplier is needed: {reserved[suppliers[0].path]}")
    return reasons


def _without_module(
    device: Device, devices: list[Device], reserved: dict[str, str]
) -> dict[str, str]:
    if not device.module:
        return dict.fromkeys(("reload", "load"), "its driver is built in")
    modules = set(holders(device.module))
    for other in devices:
        if other.module in modules and other.path in reserved:
            why = f"its module also drives {other.name}: {reserved[other.path]}"
            return dict.fromkeys(("reload", "load"), why)
    for name in modules:
        users = len(os.listdir(f"/sys/module/{name}/holders"))
        if int(read(f"/sys/module/{name}/refcnt", UNREADABLE) or 0) > users:
            why = f"module {name} is in use by another driver"
            return dict.fromkeys(("reload", "load"), why)
    return {}


def _always_awake(power: str) -> dict[str, str]:
    status = read(f"{power}/runtime_status", UNREADABLE)
    control = read(f"{power}/control", UNREADABLE)
    if status not in ("active", "suspended") or not control:
        return {"runtime": "its driver has no runtime power management"}
    usage = int(read(f"{power}/runtime_usage", UNREADABLE) or 0) - (control == "on")
    if usage > 0:
        return {"runtime": f"its driver keeps it active (runtime_usage {usage})"}
    if int(read(f"{power}/runtime_active_kids", UNREADABLE) or 0):
        return {"runtime": "a device below it is active"}
    return {}
