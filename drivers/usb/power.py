"""Runtime suspend and resume of a USB device.   Ref: Documentation/driver-api/usb/power-management.rst"""
from __future__ import annotations

import errno
import time
from typing import Any, Dict

from drivers.agent.call import call
from drivers.uapi import usb


@call
def power(vendor: int, product: int) -> Dict[str, Any]:
    """The device's power files: control, runtime_status, wakeup, autosuspend_delay_ms, and times in ms."""
    folder = usb.folder(vendor, product) + "/power/"
    names = ("control", "runtime_status", "wakeup", "autosuspend_delay_ms", "runtime_active_time",
             "runtime_suspended_time")
    return {name: usb.read(folder + name) for name in names}


@call
def suspend(vendor: int, product: int, wakeup: bool = True, timeout_s: float = 3.0) -> float:
    """Let the device sleep, allowed to wake the bus or not; the seconds until it did.

    ETIMEDOUT, with its state, when it does not. `resume` must follow.
    """
    folder = usb.folder(vendor, product) + "/power/"
    begun = time.monotonic()
    usb.write(folder + "wakeup", "enabled" if wakeup else "disabled")
    usb.write(folder + "autosuspend_delay_ms", "0")
    usb.write(folder + "control", "auto")
    return _wait(folder, "suspended", begun, timeout_s)


@call
def resume(vendor: int, product: int, timeout_s: float = 3.0) -> float:
    """Wake the device and keep it awake, its power files as after plugging in; the seconds that it took."""
    folder = usb.folder(vendor, product) + "/power/"
    begun = time.monotonic()
    usb.write(folder + "control", "on")
    took = _wait(folder, "active", begun, timeout_s)
    usb.write(folder + "autosuspend_delay_ms", "2000")
    return took


def _wait(folder: str, wanted: str, begun: float, timeout_s: float) -> float:
    if not usb.wait_for(lambda: usb.read(folder + "runtime_status") == wanted, timeout_s):
        raise OSError(errno.ETIMEDOUT, "runtime_status is %s after %s s, not %s"
                      % (usb.read(folder + "runtime_status"), timeout_s, wanted))
    return time.monotonic() - begun
