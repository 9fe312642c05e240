"""Calls on a temperature sensor that its hwmon driver has bound.   Ref: Documentation/hwmon/sysfs-interface.rst

Temperatures are in thousandths of a degree Celsius, as in sysfs.
"""
from __future__ import annotations

import errno
import os
import time
from typing import Any, Dict, List

from drivers.agent.call import call
from drivers.uapi.i2c import client, driver_of
from drivers.uapi.i2c import rebind as _rebind


def _folder(adapter: str, address: int) -> str:
    base = client(adapter, address) + "/hwmon"
    for entry in sorted(os.listdir(base)) if os.path.isdir(base) else []:
        return "%s/%s" % (base, entry)
    raise OSError(errno.ENODEV, "no hwmon device at %#x of %s: no driver is bound" % (address, adapter))


def _read(path: str) -> str:
    # One read and no buffer: a failing attribute must give its errno, not an empty text.
    opened = os.open(path, os.O_RDONLY)
    try:
        return os.read(opened, 4096).decode().strip()
    finally:
        os.close(opened)


@call
def identity(*, adapter: str, address: int) -> Dict[str, Any]:
    """The bound driver and hwmon's name for the sensor, "" where there is none."""
    try:
        name = _read(_folder(adapter, address) + "/name")
    except OSError as error:
        if error.errno != errno.ENODEV:
            raise
        name = ""
    return {"driver": driver_of(adapter, address), "name": name}


@call
def read(attribute: str = "temp1_input", *, adapter: str, address: int) -> int:
    """One attribute: temp1_input, temp1_max, temp1_max_hyst …"""
    return int(_read("%s/%s" % (_folder(adapter, address), attribute)))


@call
def write(attribute: str, value: int, *, adapter: str, address: int) -> int:
    """Write an attribute, and what it reads then."""
    path = "%s/%s" % (_folder(adapter, address), attribute)
    opened = os.open(path, os.O_WRONLY)
    try:
        os.write(opened, b"%d" % value)
    finally:
        os.close(opened)
    return int(_read(path))


@call
def read_many(count: int, attribute: str = "temp1_input", *, adapter: str, address: int) -> Dict[str, Any]:
    """Read an attribute `count` times: the values, and the seconds that all took."""
    path = "%s/%s" % (_folder(adapter, address), attribute)
    began = time.monotonic()
    values: List[int] = [int(_read(path)) for _ in range(count)]
    return {"values": values, "seconds": time.monotonic() - began}


@call
def rebind(driver: str, *, adapter: str, address: int) -> str:
    """Take the driver away and bind it again, which makes it probe; the driver that is bound then."""
    return _rebind(adapter, address, driver)


@call
def wait_for_reading(timeout_s: float = 1.0, *, adapter: str, address: int) -> Dict[str, Any]:
    """Read until the driver has a temperature: EAGAINs before it, the value, and the seconds.

    Raises OSError: any other errno at once, EAGAIN after `timeout_s`.
    """
    path = _folder(adapter, address) + "/temp1_input"
    began, refused = time.monotonic(), 0
    while True:
        try:
            return {"value": int(_read(path)), "refused": refused, "seconds": time.monotonic() - began}
        except OSError as error:
            if error.errno != errno.EAGAIN or time.monotonic() - began > timeout_s:
                raise
            refused += 1
            time.sleep(0.002)  # the sensor's own conversion time is what is waited for


@call
def first_reading(driver: str, timeout_s: float = 1.0, *, adapter: str, address: int) -> Dict[str, Any]:
    """Bind the driver anew and wait for its first temperature: as `wait_for_reading`."""
    _rebind(adapter, address, driver)
    return wait_for_reading(timeout_s, adapter=adapter, address=address)
