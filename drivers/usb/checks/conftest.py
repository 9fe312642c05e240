"""What the USB checks set up and undo."""
from __future__ import annotations

import pytest

from drivers.checks.replug import set_up, tidy_up


@pytest.fixture
def pointer(usb, mouse_24ae_2002_chip):
    """The mouse's model, plugged in and bound to usbhid.

    So it is left again, whatever a check made of it.
    """
    set_up(usb, mouse_24ae_2002_chip)
    yield mouse_24ae_2002_chip
    tidy_up(usb, mouse_24ae_2002_chip)


@pytest.fixture
def plugged(rig, usb, request):
    """For checks that a real device can stand, too: it is plugged in and bound.

    On a twin this is `pointer`.
    """
    if "mouse_24ae_2002" in rig.chips:
        yield request.getfixturevalue("pointer")
        return
    if usb.devnum().value == 0:
        pytest.skip(
            "the device is not plugged into the board: plug it in, or take it out of board.yaml"
        )
    _ = usb.wait_plugged().value
    yield None
    _ = usb.wait_plugged().errno
