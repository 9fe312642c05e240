"""Plug, unplug and restore a USB device's model, for the checks of any exerciser."""
from __future__ import annotations

from typing import Any

MODULES = ["usbhid", "hid_generic"]
SOON_S = 0.5  # for a device that should be there already


def put_back(usb: Any, device: Any, timeout_s: float = 3.0) -> Any:
    """Restore the device's model to its initial state and wait until it is enumerated.

    The answer of `wait_plugged`.

    A device that the kernel has given up is replugged once.
    """
    was = usb.devnum().value
    changed = device.restore()
    soon = timeout_s if changed else SOON_S
    answer = usb.wait_plugged(modules=MODULES, other_than=was if changed else 0, timeout_s=soon)
    return replug(usb, device, timeout_s=timeout_s) if answer.errno else answer


def replug(usb: Any, device: Any, timeout_s: float = 3.0, **other: Any) -> Any:
    """Unplug the device and plug it in, changed as `other` says; the answer of `wait_plugged`."""
    was = usb.devnum().value
    device.become(**other)
    return usb.wait_plugged(other_than=was, timeout_s=timeout_s)


def set_up(usb: Any, device: Any) -> Any:
    """Before a check: the device in its initial state, its logs cleared; interface → driver.

    Raises RuntimeError when it does not enumerate: the rig's fault, not the check's.
    """
    answer = put_back(usb, device)
    if answer.errno:
        raise RuntimeError("the device does not enumerate before the check: see the kernel log")
    device.clear()
    return answer.value


def tidy_up(usb: Any, device: Any) -> Any:
    """After a check: faults off, the device in its initial state.

    Interface → driver, {} when not enumerated.
    """
    device.faults.clear()
    answer = put_back(usb, device)
    return {} if answer.errno else answer.value
