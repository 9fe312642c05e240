"""USB devices as /sys/bus/usb/devices shows them.   Ref: Documentation/ABI/stable/sysfs-bus-usb"""
from __future__ import annotations

import errno
import os
import time
from typing import Dict, List, Optional

DEVICES = "/sys/bus/usb/devices"
DRIVERS = "/sys/bus/usb/drivers"


def read(path: str) -> str:
    """The file's text without the newline; "" when there is no such file, or none any more."""
    try:
        with open(path) as opened:
            return opened.read().rstrip("\n")
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENODEV):
            return ""
        raise


def write(path: str, text: str) -> None:
    """Write in one go, so that the kernel's refusal is an errno here."""
    opened = os.open(path, os.O_WRONLY)
    try:
        os.write(opened, text.encode())
    finally:
        os.close(opened)


def matching(vendor: int, product: int) -> List[str]:
    """Names, as 1-1, of the devices with these ids."""
    names = [name for name in os.listdir(DEVICES) if ":" not in name] if os.path.isdir(DEVICES) else []
    ids = ("%04x" % vendor, "%04x" % product)
    return sorted(name for name in names
                  if (read("%s/%s/idVendor" % (DEVICES, name)), read("%s/%s/idProduct" % (DEVICES, name))) == ids)


def folder(vendor: int, product: int) -> str:
    """The device's folder; ENODEV, with the ids in its text, when none is plugged in."""
    names = matching(vendor, product)
    if not names:
        raise OSError(errno.ENODEV, "no USB device %04x:%04x is plugged in" % (vendor, product))
    return "%s/%s" % (DEVICES, names[0])


def interfaces(device: str) -> List[str]:
    """Names, as 1-1:1.0, of the device's interfaces."""
    prefix = os.path.basename(device) + ":"
    return sorted(name for name in os.listdir(DEVICES) if name.startswith(prefix))


def driver_of(interface: str) -> str:
    """The driver that an interface is bound to; "" for none."""
    path = "%s/%s/driver" % (DEVICES, interface)
    return os.path.basename(os.path.realpath(path)) if os.path.exists(path) else ""


def bound(device: str) -> Dict[str, str]:
    """Interface → driver."""
    return {name: driver_of(name) for name in interfaces(device)}


def bind(interface: str, driver: Optional[str]) -> None:
    """Give the interface to `driver`, from whatever it is bound to; None leaves it unbound."""
    now = driver_of(interface)
    if now == (driver or ""):
        return
    if now:
        write("%s/%s/unbind" % (DRIVERS, now), interface)
    if driver:
        write("%s/%s/bind" % (DRIVERS, driver), interface)


def wait_for(condition: object, timeout_s: float, step_s: float = 0.02) -> bool:
    """Ask `condition()` until it is true; False when it was not in time.

    Each question reads a dozen files: asked more often, an emulated processor does nothing else.
    """
    deadline = time.monotonic() + timeout_s
    assert callable(condition)
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(step_s)
    return True
