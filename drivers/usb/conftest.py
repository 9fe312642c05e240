"""What the USB checks set up and undo."""
from __future__ import annotations

import pytest

MODULES = ["usbhid", "hid_generic"]


@pytest.fixture
def pointer(usb, mouse_24ae_2002_chip):
    """The mouse's model, plugged in and bound to usbhid; so it is left again, whatever a check made of it."""
    mouse_24ae_2002_chip.restore()
    _ = usb.wait_plugged(driver="usbhid", modules=MODULES).value
    mouse_24ae_2002_chip.clear()
    yield mouse_24ae_2002_chip
    if mouse_24ae_2002_chip.restore():
        _ = usb.wait_plugged(driver="usbhid").errno
