"""usbmon beside a call: every URB of the device's bus.   Ref: Documentation/usb/usbmon.rst"""
from __future__ import annotations

from drivers.uapi.usbmon import Monitor as Recorder

FORMAT = "usbmon"  # of what it sends: bench/capture/usbmon.py reads it

__all__ = ["FORMAT", "Recorder"]
