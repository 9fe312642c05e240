"""What checks of a USB device do with the device itself, as a hand would."""
from __future__ import annotations

from typing import Any

MODULES = ["usbhid", "hid_generic"]
SOON_S = 0.5  # for a device that should be there already


def put_back(usb: Any, device: Any, timeout_s: float = 3.0) -> Any:
    """Have the device's model as it was made, and wait until the kernel knows it so.

    The answer of that wait.

    A device that the kernel has given up is pulled out and plugged in once more.
    """
    was = usb.devnum().value
    changed = device.restore()
    soon = timeout_s if changed else SOON_S
    answer = usb.wait_plugged(modules=MODULES, other_than=was if changed else 0, timeout_s=soon)
    return replug(usb, device, timeout_s=timeout_s) if answer.errno else answer


def replug(usb: Any, device: Any, timeout_s: float = 3.0, **other: Any) -> Any:
    """Pull it out, plug it in (as another one: `other` says which) and wait until the kernel has
    it; that answer.
    """
    was = usb.devnum().value
    device.become(**other)
    return usb.wait_plugged(other_than=was, timeout_s=timeout_s)


def set_up(usb: Any, device: Any) -> Any:
    """Before a check: the device as it was made, its logs empty.

    Its drivers. RuntimeError: the rig is to blame.
    """
    answer = put_back(usb, device)
    if answer.errno:
        raise RuntimeError(
            "the device does not enumerate before the check: see the kernel log"
        )
    device.clear()
    return answer.value


def tidy_up(usb: Any, device: Any) -> Any:
    """After a check: no fault, the device as it was made.

    Its drivers, {} when it does not come up.
    """
    device.faults.clear()
    answer = put_back(usb, device)
    return {} if answer.errno else answer.value
