"""Bind and unbind platform devices, and let devices sleep.   Ref: Documentation/driver-api/driver-model/binding.rst;
Documentation/power/basic-pm-debugging.rst"""
from __future__ import annotations

import os
import time

from drivers.call import call

BUS = "/sys/bus/platform"
PM_TEST, STATE = "/sys/power/pm_test", "/sys/power/state"
PM_TEST_DELAY = "/sys/module/suspend/parameters/pm_test_delay"


def _write(path: str, text: str) -> None:
    opened = os.open(path, os.O_WRONLY)
    try:
        os.write(opened, text.encode())
    finally:
        os.close(opened)


def _swap(path: str, text: str) -> str:
    """Write `text` and return what to write to have it as before."""
    with open(path) as opened:
        was = opened.read().strip()
    _write(path, text)
    return was[was.index("[") + 1 : was.index("]")] if "[" in was else was


@call
def unbind(driver: str, device: str) -> None:
    """Take the platform device from its driver; ENODEV when it is not bound."""
    _write(f"{BUS}/drivers/{driver}/unbind", device)


@call
def bind(driver: str, device: str) -> None:
    """Give the platform device to the driver.  The driver's refusal is the errno."""
    _write(f"{BUS}/drivers/{driver}/bind", device)


@call
def rebind(driver: str, device: str) -> float:
    """Unbind and bind again and return the seconds that took."""
    begun = time.monotonic()
    unbind(driver, device)
    bind(driver, device)
    return time.monotonic() - begun


@call
def suspend(level: str = "devices") -> dict[str, float]:
    """Let every device sleep and wake again at once (pm_test `level`, state freeze); seconds it took.

    The kernel refuses with EINVAL where it has no such state, EBUSY when a device does not want to.
    """
    delay = _swap(PM_TEST_DELAY, "0")
    try:
        test = _swap(PM_TEST, level)
        try:
            begun = time.monotonic()
            _write(STATE, "freeze")
            return {"seconds": time.monotonic() - begun}
        finally:
            _write(PM_TEST, test)
    finally:
        _write(PM_TEST_DELAY, delay)
