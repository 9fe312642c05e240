"""USB devices as /sys/bus/usb/devices shows them, and their runtime power management.

Ref: Documentation/ABI/stable/sysfs-bus-usb; Documentation/driver-api/usb/power-management.rst
"""
from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable

from drivers.uapi import sysfs

DEVICES = f"{sysfs.BUSES}/usb/devices"


def matching(vendor: int, product: int) -> list[str]:
    """Names, as 1-1, of the devices with these ids."""
    names = (
        [name for name in os.listdir(DEVICES) if ":" not in name] if os.path.isdir(DEVICES) else []
    )
    ids = (f"{vendor:04x}", f"{product:04x}")
    return sorted(name for name in names if _ids(f"{DEVICES}/{name}") == ids)


def _ids(device: str) -> tuple[str, str]:
    return sysfs.read(f"{device}/idVendor", sysfs.ABSENT), sysfs.read(
        f"{device}/idProduct", sysfs.ABSENT
    )


def folder(vendor: int, product: int) -> str:
    """The device's sysfs folder; ENODEV, with the ids in its text, when none is plugged in."""
    names = matching(vendor, product)
    if not names:
        raise OSError(errno.ENODEV, f"no USB device {vendor:04x}:{product:04x} is plugged in")
    return f"{DEVICES}/{names[0]}"


def interfaces(device: str) -> list[str]:
    """Names, as 1-1:1.0, of the device's interfaces."""
    prefix = os.path.basename(device) + ":"
    return sorted(name for name in os.listdir(DEVICES) if name.startswith(prefix))


def driver_of(interface: str) -> str:
    """The driver that an interface is bound to; "" for none."""
    return sysfs.driver_of(f"{DEVICES}/{interface}")


def bound(device: str) -> dict[str, str]:
    """Interface → driver."""
    return {name: driver_of(name) for name in interfaces(device)}


def bind(interface: str, driver: str) -> None:
    """Bind the interface to `driver`, from whatever it is bound to; "" leaves it unbound."""
    if driver_of(interface) == driver:
        return
    sysfs.unbind_any("usb", interface)
    if driver:
        sysfs.bind("usb", driver, interface)


def wait_for(condition: Callable[[], object], timeout_s: float, step_s: float = 0.02) -> bool:
    """Poll `condition()` until it is true; False at the timeout.

    Every `step_s`, since a condition reads a dozen files: polled faster, an emulated processor does
    nothing else.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(step_s)
    return True


def runtime_status(device: str) -> str:
    """The device's power/runtime_status: active, suspended, suspending, resuming, error."""
    return sysfs.read(f"{device}/power/runtime_status", sysfs.ABSENT)


def suspend(device: str, wakeup: bool, timeout_s: float) -> float:
    """Runtime suspend the device, remote wakeup enabled or not.

    The seconds it took.  ETIMEDOUT, with its state.

    `resume` must follow.
    """
    begun = time.monotonic()
    sysfs.write(f"{device}/power/wakeup", "enabled" if wakeup else "disabled")
    sysfs.write(f"{device}/power/autosuspend_delay_ms", 0)
    sysfs.write(f"{device}/power/control", "auto")
    return _wait_status(device, "suspended", begun, timeout_s)


def resume(device: str, timeout_s: float = 3.0) -> float:
    """Resume the device and disable autosuspend, as after plugging in.

    The seconds it took.  ETIMEDOUT as `suspend`.
    """
    begun = time.monotonic()
    sysfs.write(f"{device}/power/control", "on")
    seconds = _wait_status(device, "active", begun, timeout_s)
    sysfs.write(f"{device}/power/autosuspend_delay_ms", 2000)
    return seconds


def _wait_status(device: str, wanted: str, begun: float, timeout_s: float) -> float:
    if not wait_for(lambda: runtime_status(device) == wanted, timeout_s):
        raise OSError(
            errno.ETIMEDOUT,
            f"runtime_status is {runtime_status(device)} after {timeout_s} s, not {wanted}",
        )
    return time.monotonic() - begun
