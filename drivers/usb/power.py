"""Runtime suspend and resume of a USB device.

Ref: Documentation/driver-api/usb/power-management.rst
"""
from __future__ import annotations

from drivers.agent.call import call
from drivers.uapi import sysfs, usb

NAMES = (
    "control",
    "runtime_status",
    "wakeup",
    "autosuspend_delay_ms",
    "runtime_active_time",
    "runtime_suspended_time",
)


@call
def power(vendor: int, product: int) -> dict[str, str]:
    """The device's power files: control, runtime_status, wakeup, autosuspend_delay_ms, and times in
    ms.
    """
    folder = usb.folder(vendor, product)
    return {name: sysfs.read(f"{folder}/power/{name}", sysfs.ABSENT) for name in NAMES}


@call
def suspend(vendor: int, product: int, wakeup: bool = True, timeout_s: float = 3.0) -> float:
    """Runtime suspend the device, remote wakeup enabled or not; the seconds it took.

    ETIMEDOUT, with its state, when it does not suspend.  `resume` must follow.
    """
    return usb.suspend(usb.folder(vendor, product), wakeup, timeout_s)


@call
def resume(vendor: int, product: int, timeout_s: float = 3.0) -> float:
    """Resume the device and disable autosuspend, as after plugging in; the seconds it took."""
    return usb.resume(usb.folder(vendor, product), timeout_s)
