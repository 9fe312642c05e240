"""Bind and unbind platform devices, and let devices sleep.   Ref: Documentation/driver-api/driver-model/binding.rst;
Documentation/power/basic-pm-debugging.rst"""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Sequence

from drivers.agent.call import call
from drivers.uapi import sysfs
from drivers.uapi.sysfs import swap, write

PM_TEST, STATE = "/sys/power/pm_test", "/sys/power/state"
PM_TEST_DELAY = "/sys/module/suspend/parameters/pm_test_delay"
# Virtio drivers without freeze and restore: virtio_device_restore resets their device, nobody sets its queues up again,
# and every request to it waits for ever, uninterruptibly (docs/defects/gpio.md 3).
LOST_IN_SLEEP = ("gpio_virtio",)
BACK_S = 3.0  # for a bus to find again what it lost in its sleep


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


@call
def suspend(level: str = "devices", lost: Sequence[str] = LOST_IN_SLEEP) -> dict[str, float]:
    """Let every device sleep and wake again at once (pm_test `level`, state freeze); seconds it took.

    Devices of the virtio drivers `lost` are bound again afterwards, and as many devices have a driver then as before:
    USB enumerates some of its own again. The kernel refuses with EINVAL where it has no such state, EBUSY when a device
    does not want to.
    """
    delay, bound = swap(PM_TEST_DELAY, "0"), _bound()
    try:
        test = swap(PM_TEST, level)
        try:
            begun = time.monotonic()
            write(STATE, "freeze")
            return {"seconds": time.monotonic() - begun}
        finally:
            write(PM_TEST, test)
            for driver in lost:
                _set_up_anew(driver)
            deadline = time.monotonic() + BACK_S
            while _bound() < bound and time.monotonic() < deadline:
                time.sleep(0.02)
    finally:
        write(PM_TEST_DELAY, delay)


def _set_up_anew(driver: str) -> None:
    """Unbind and bind the transports of a virtio driver's devices.

    Not the devices themselves: each unbind of one gives back a reference of its node that the transport took.
    """
    for device in glob.glob(f"/sys/bus/virtio/drivers/{driver}/virtio*"):
        transport = os.path.dirname(os.path.realpath(device))
        driver_folder = os.path.realpath(f"{transport}/driver")
        for action in ("unbind", "bind"):
            write(f"{driver_folder}/{action}", os.path.basename(transport))


def _bound() -> int:
    """How many devices of all buses have a driver."""
    return len(glob.glob("/sys/bus/*/devices/*/driver"))
