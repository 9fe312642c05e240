"""Bind and unbind devices, and suspend and resume them.

Ref: Documentation/driver-api/driver-model/binding.rst, Documentation/power/basic-pm-debugging.rst
"""
from __future__ import annotations

import glob
import os
import time
from collections.abc import Sequence
from typing import TypedDict

from drivers.agent.call import call
from drivers.uapi import sysfs
from drivers.uapi.sysfs import swap, write

PM_TEST, STATE = "/sys/power/pm_test", "/sys/power/state"
PM_TEST_DELAY = "/sys/module/suspend/parameters/pm_test_delay"
# Virtio drivers without freeze and restore: virtio_device_restore resets their device, nothing sets
# its queues up again, and every request waits for ever, uninterruptibly (docs/defects/gpio.md 3).
LOST_IN_SUSPEND = ("gpio_virtio",)
ENUMERATION_S = 3.0  # for a bus to enumerate its devices again after resume


@call
def unbind(driver: str, device: str, bus: str = "platform") -> None:
    """Unbind the device from the driver; ENODEV when it is not bound to it."""
    sysfs.unbind(bus, driver, device)


@call
def bind(driver: str, device: str, bus: str = "platform") -> None:
    """Bind the device to the driver.  The probe's refusal is the errno."""
    sysfs.bind(bus, driver, device)


@call
def rebind(driver: str, device: str, bus: str = "platform") -> float:
    """Unbind the device, bind it to the driver again and return the seconds that both took."""
    return sysfs.rebind(bus, driver, device)


class Suspended(TypedDict):
    """How long suspend and resume took."""

    seconds: float


@call
def suspend(level: str = "devices", lost: Sequence[str] = LOST_IN_SUSPEND) -> Suspended:
    """Suspend every device and resume it at once (pm_test `level`, state freeze).

    Devices of the virtio drivers `lost` are bound again afterwards, and it waits until as many
    devices have a driver as before: USB enumerates some of its own again. EINVAL where the kernel
    has no such state, EBUSY when a device refuses to suspend.
    """
    delay, bound = swap(PM_TEST_DELAY, "0"), _bound()
    try:
        test = swap(PM_TEST, level)
        try:
            started = time.monotonic()
            write(STATE, "freeze")
            return {"seconds": time.monotonic() - started}
        finally:
            write(PM_TEST, test)
            for driver in lost:
                _rebind_transports(driver)
            deadline = time.monotonic() + ENUMERATION_S
            while _bound() < bound and time.monotonic() < deadline:
                time.sleep(0.02)
    finally:
        write(PM_TEST_DELAY, delay)


def _rebind_transports(driver: str) -> None:
    """Unbind and bind the transports of a virtio driver's devices.

    Not the devices themselves: each unbind of one drops a reference of its node that the transport
    took.
    """
    for device in glob.glob(f"/sys/bus/virtio/drivers/{driver}/virtio*"):
        transport = os.path.dirname(os.path.realpath(device))
        transport_driver = os.path.realpath(f"{transport}/driver")
        for action in ("unbind", "bind"):
            write(f"{transport_driver}/{action}", os.path.basename(transport))


def _bound() -> int:
    """How many devices of all buses have a driver."""
    return len(glob.glob("/sys/bus/*/devices/*/driver"))
