"""Find an I2C adapter, a client's folder and its driver in sysfs.

Ref: Documentation/i2c/i2c-sysfs.rst
"""
from __future__ import annotations

import errno
import os

from drivers.uapi import sysfs

_DEVICES = f"{sysfs.BUSES}/i2c/devices"


def adapters() -> dict[int, str]:
    """Number → name of each adapter."""
    entries = os.listdir(_DEVICES) if os.path.isdir(_DEVICES) else []
    return {
        int(entry[4:]): sysfs.read(f"{_DEVICES}/{entry}/name")
        for entry in entries
        if entry.startswith("i2c-")
    }


def number_of(adapter: str) -> int:
    """The number of the adapter with this name (or number, as text); ENODEV when there is none."""
    for number, name in sorted(adapters().items()):
        if adapter in (name, str(number)):
            return number
    raise OSError(
        errno.ENODEV, f"no I2C adapter is called {adapter!r}; there are: {adapters() or 'none'}"
    )


def client(adapter: str, address: int) -> str:
    """The sysfs folder of the client at a 7-bit address; ENODEV when the kernel has none there."""
    path = f"{_DEVICES}/{number_of(adapter)}-{address:04x}"
    if not os.path.isdir(path):
        raise OSError(
            errno.ENODEV, f"no I2C device at {address:#x} of {adapter}: is it in the devicetree?"
        )
    return path


def driver_of(adapter: str, address: int) -> str:
    """The driver bound to a client; "" for none."""
    return sysfs.driver_of(client(adapter, address))


def rebind(adapter: str, address: int, driver: str) -> str:
    """Unbind a client, if it is bound, and bind it to `driver`; the driver bound then.

    The probe's error (ENODEV and so on) is the errno.
    """
    path = client(adapter, address)
    name = os.path.basename(path)
    sysfs.unbind_any("i2c", name)
    sysfs.bind("i2c", driver, name)
    return sysfs.driver_of(path)
