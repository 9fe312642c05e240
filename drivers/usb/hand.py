"""What checks of a USB device do with the device itself, as a hand would."""
from __future__ import annotations

from typing import Any

MODULES = ["usbhid", "hid_generic"]


def put_back(usb: Any, device: Any, timeout_s: float = 3.0) -> Any:
    """Have the device's model as it was made, and wait until the kernel knows it so; the answer of that wait."""
    was = usb.number().value
    changed = device.restore()
    return usb.wait_plugged(driver="", modules=MODULES, other_than=was if changed else 0, timeout_s=timeout_s)


def replug(usb: Any, device: Any, **other: Any) -> Any:
    """Pull it out, plug it in (as another one: `other` says which) and wait until the kernel has it; that answer."""
    was = usb.number().value
    device.become(**other)
    return usb.wait_plugged(other_than=was)
