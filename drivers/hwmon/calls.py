"""Calls on a temperature sensor that is bound to its hwmon driver.

Ref: Documentation/hwmon/sysfs-interface.rst

Temperatures are in thousandths of a degree Celsius, as in sysfs.
"""
from __future__ import annotations

import errno
import os
import time
from typing import TypedDict

from drivers.agent.call import call
from drivers.uapi import i2c, sysfs


class Identity(TypedDict):
    """The driver bound to the sensor and its hwmon name; "" for none."""

    driver: str
    name: str


class Readings(TypedDict):
    """An attribute's values, and the time of all reads [s]."""

    values: list[int]
    seconds: float


class FirstReading(TypedDict):
    """The first temperature, the EAGAINs before it, and the seconds until it."""

    value: int
    refused: int
    seconds: float


def _folder(adapter: str, address: int) -> str:
    base = i2c.client(adapter, address) + "/hwmon"
    for entry in sorted(os.listdir(base)) if os.path.isdir(base) else []:
        return f"{base}/{entry}"
    raise OSError(errno.ENODEV, f"no hwmon device at {address:#x} of {adapter}: no driver is bound")


@call
def identity(*, adapter: str, address: int) -> Identity:
    """The driver, and the sensor's hwmon name."""
    try:
        name = sysfs.read(_folder(adapter, address) + "/name")
    except OSError as error:
        if error.errno != errno.ENODEV:
            raise
        name = ""
    return {"driver": i2c.driver_of(adapter, address), "name": name}


@call
def read(attribute: str = "temp1_input", *, adapter: str, address: int) -> int:
    """An attribute: temp1_input, temp1_max, temp1_max_hyst …"""
    return int(sysfs.read(f"{_folder(adapter, address)}/{attribute}"))


@call
def write(attribute: str, value: int, *, adapter: str, address: int) -> int:
    """Write an attribute and read it back."""
    path = f"{_folder(adapter, address)}/{attribute}"
    sysfs.write(path, value)
    return int(sysfs.read(path))


@call
def read_many(
    count: int, attribute: str = "temp1_input", *, adapter: str, address: int
) -> Readings:
    """Read an attribute `count` times."""
    path = f"{_folder(adapter, address)}/{attribute}"
    began = time.monotonic()
    values = [int(sysfs.read(path)) for _ in range(count)]
    return {"values": values, "seconds": time.monotonic() - began}


@call
def rebind(driver: str, *, adapter: str, address: int) -> str:
    """Unbind the driver and bind it again, which probes the sensor; the driver bound then."""
    return i2c.rebind(adapter, address, driver)


@call
def wait_for_reading(timeout_s: float = 1.0, *, adapter: str, address: int) -> FirstReading:
    """Read until the driver has a temperature: it returns EAGAIN until the sensor's first
    conversion.

    Raises OSError: any other errno at once, EAGAIN after `timeout_s`.
    """
    path = _folder(adapter, address) + "/temp1_input"
    began, refused = time.monotonic(), 0
    while True:
        try:
            return {
                "value": int(sysfs.read(path)),
                "refused": refused,
                "seconds": time.monotonic() - began,
            }
        except OSError as error:
            if error.errno != errno.EAGAIN or time.monotonic() - began > timeout_s:
                raise
            refused += 1
            time.sleep(0.002)


@call
def first_reading(
    driver: str, timeout_s: float = 1.0, *, adapter: str, address: int
) -> FirstReading:
    """Rebind the driver and wait for its first temperature, as `wait_for_reading`."""
    i2c.rebind(adapter, address, driver)
    return wait_for_reading(timeout_s, adapter=adapter, address=address)
