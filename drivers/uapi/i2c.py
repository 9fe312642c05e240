"""Find an I2C adapter, a client's folder and its driver in sysfs.   Ref: Documentation/i2c/i2c-sysfs.rst"""
from __future__ import annotations

import errno
import os
from typing import Dict

_DEVICES = "/sys/bus/i2c/devices"


def adapters() -> Dict[int, str]:
    """Number → name of each adapter."""
    found = {}
    for entry in os.listdir(_DEVICES) if os.path.isdir(_DEVICES) else []:
        if entry.startswith("i2c-"):
            with open("%s/%s/name" % (_DEVICES, entry)) as opened:
                found[int(entry[4:])] = opened.read().strip()
    return found


def number_of(adapter: str) -> int:
    """The number of the adapter with this name (or number, as a text); ENODEV when there is none."""
    for number, name in sorted(adapters().items()):
        if adapter in (name, str(number)):
            return number
    raise OSError(errno.ENODEV, "no I2C adapter called %r; there are: %s" % (adapter, adapters() or "none"))


def client(adapter: str, address: int) -> str:
    """The sysfs folder of the client at a 7-bit address; ENODEV when the kernel knows none there."""
    path = "%s/%d-%04x" % (_DEVICES, number_of(adapter), address)
    if not os.path.isdir(path):
        raise OSError(errno.ENODEV, "no I2C device at %#x of %s: is it in the devicetree?" % (address, adapter))
    return path


def driver_of(adapter: str, address: int) -> str:
    """The name of the driver bound to a client, "" when none is."""
    link = client(adapter, address) + "/driver"
    return os.path.basename(os.readlink(link)) if os.path.islink(link) else ""


def rebind(adapter: str, address: int, driver: str) -> str:
    """Take a client's driver away, if it has one, and have `driver` bind it again; the one that is bound then.

    The driver's own refusal (ENODEV and so on) is the errno.
    """
    path = client(adapter, address)
    name = os.path.basename(path)
    if os.path.islink(path + "/driver"):
        _write(path + "/driver/unbind", name)
    _write("/sys/bus/i2c/drivers/%s/bind" % driver, name)
    return driver_of(adapter, address)


def _write(path: str, text: str) -> None:
    opened = os.open(path, os.O_WRONLY)
    try:
        os.write(opened, text.encode())
    finally:
        os.close(opened)
