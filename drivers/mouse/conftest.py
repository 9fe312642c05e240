"""What the mouse checks set up and undo."""
from __future__ import annotations

import pytest

from drivers.usb.hand import put_back


@pytest.fixture
def pointer(usb, mouse, mouse_24ae_2002_chip):
    """The mouse's model, plugged in, driven by usbhid; so it is left again, whatever a check made of it."""
    drivers = put_back(usb, mouse_24ae_2002_chip).value
    if "usbmouse" in drivers.values():
        _ = mouse.use_driver(driver="usbhid").value
    mouse_24ae_2002_chip.clear()
    yield mouse_24ae_2002_chip
    drivers = put_back(usb, mouse_24ae_2002_chip)
    if drivers.errno == 0 and "usbmouse" in drivers.value.values():
        _ = mouse.use_driver(driver="usbhid").errno
