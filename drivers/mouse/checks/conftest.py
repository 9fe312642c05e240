"""What the mouse checks set up and undo."""
from __future__ import annotations

import pytest

from drivers.checks.replug import set_up, tidy_up


@pytest.fixture
def pointer(usb, mouse, mouse_24ae_2002_chip):
    """The mouse's model, plugged in and bound to usbhid before and after the check."""
    if "usbmouse" in set_up(usb, mouse_24ae_2002_chip).values():
        _ = mouse.use_driver(driver="usbhid").value
    yield mouse_24ae_2002_chip
    tidy_up(usb, mouse_24ae_2002_chip)


@pytest.fixture
def usbmouse(mouse, pointer):
    """The mouse is bound to usbmouse, and to usbhid again at the end."""
    assert mouse.use_driver(driver="usbmouse").value == "usbmouse"
    yield
    pointer.faults.clear()
    _ = mouse.use_driver(driver="usbhid").errno
