"""usbmon beside a call: every URB of the device's bus.   Ref: Documentation/usb/usbmon.rst"""
from __future__ import annotations

from drivers.uapi.usbmon import Monitor as Recorder

__all__ = ["Recorder"]
