"""What the USB checks set up and undo."""
from __future__ import annotations

import pytest

from drivers.usb.hand import put_back


@pytest.fixture
def pointer(usb, mouse_24ae_2002_chip):
    """The mouse's model, plugged in and bound to usbhid; so it is left again, whatever a check made of it."""
    _ = put_back(usb, mouse_24ae_2002_chip).value
    mouse_24ae_2002_chip.clear()
    yield mouse_24ae_2002_chip
    _ = put_back(usb, mouse_24ae_2002_chip).errno
