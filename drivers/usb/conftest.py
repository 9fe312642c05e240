"""What the USB checks set up and undo."""
from __future__ import annotations

import pytest

from drivers.usb.hand import set_up, tidy_up


@pytest.fixture
def pointer(usb, mouse_24ae_2002_chip):
    """The mouse's model, plugged in and bound to usbhid; so it is left again, whatever a check made of it."""
    set_up(usb, mouse_24ae_2002_chip)
    yield mouse_24ae_2002_chip
    tidy_up(usb, mouse_24ae_2002_chip)
