"""What the mouse checks set up and undo."""
from __future__ import annotations

import pytest

MODULES = ["usbhid", "hid_generic"]


@pytest.fixture
def pointer(usb, mouse, mouse_24ae_2002_chip):
    """The mouse's model, plugged in, driven by usbhid; so it is left again, whatever a check made of it."""
    mouse_24ae_2002_chip.restore()
    _ = usb.wait_plugged(modules=MODULES).value
    _ = mouse.use_driver(driver="usbhid").value
    mouse_24ae_2002_chip.clear()
    yield mouse_24ae_2002_chip
    mouse_24ae_2002_chip.restore()
    if usb.wait_plugged().errno == 0:
        _ = mouse.use_driver(driver="usbhid").errno
