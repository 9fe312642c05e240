"""Bind and unbind platform devices, and let devices sleep.   Ref: Documentation/driver-api/driver-model/binding.rst;
Documentation/power/basic-pm-debugging.rst"""
from __future__ import annotations

import glob
import os
import time
from typing import Sequence

from drivers.agent.call import call

BUS = "/sys/bus/platform"
PM_TEST, STATE = "/sys/power/pm_test", "/sys/power/state"
PM_TEST_DELAY = "/sys/module/suspend/parameters/pm_test_delay"
# Virtio drivers without freeze and restore: virtio_device_restore resets their device, nobody sets its queues up again,
# and who asks it for something waits for ever, uninterruptibly (docs/defects/gpio.md 3).
LOST_IN_SLEEP = ("gpio_virtio",)
BACK_S = 3.0  # for a bus to find again what it lost in its sleep


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
def suspend(level: str = "devices", lost: Sequence[str] = LOST_IN_SLEEP) -> dict[str, float]:
    """Let every device sleep and wake again at once (pm_test `level`, state freeze); seconds it took.

    Devices of the virtio drivers `lost` are set up anew afterwards, and as many devices have a driver then as before:
    USB enumerates some of its own anew. The kernel refuses with EINVAL where it has no such state, EBUSY when a device
    does not want to.
    """
    delay, bound = _swap(PM_TEST_DELAY, "0"), _bound()
    try:
        test = _swap(PM_TEST, level)
        try:
            begun = time.monotonic()
            _write(STATE, "freeze")
            return {"seconds": time.monotonic() - begun}
        finally:
            _write(PM_TEST, test)
            for driver in lost:
                _set_up_anew(driver)
            deadline = time.monotonic() + BACK_S
            while _bound() < bound and time.monotonic() < deadline:
                time.sleep(0.02)
    finally:
        _write(PM_TEST_DELAY, delay)


def _set_up_anew(driver: str) -> None:
    """Bind the transports of a virtio driver's devices anew.

    Not the devices themselves: each unbind of one gives back a reference of its node that the transport took.
    """
    for device in glob.glob(f"/sys/bus/virtio/drivers/{driver}/virtio*"):
        transport = os.path.dirname(os.path.realpath(device))
        transports = os.path.realpath(f"{transport}/driver")
        for action in ("unbind", "bind"):
            _write(f"{transports}/{action}", os.path.basename(transport))


def _bound() -> int:
    """How many devices of all buses have a driver."""
    return len(glob.glob("/sys/bus/*/devices/*/driver"))
