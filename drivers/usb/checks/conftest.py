"""What the USB checks set up and undo."""
from __future__ import annotations

import pytest

from drivers.checks.replug import set_up, tidy_up


@pytest.fixture
def pointer(usb, mouse_24ae_2002_chip):
    """The mouse's model, plugged in and bound to usbhid before and after the check."""
    set_up(usb, mouse_24ae_2002_chip)
    yield mouse_24ae_2002_chip
    tidy_up(usb, mouse_24ae_2002_chip)


@pytest.fixture
def plugged(rig, usb, request):
    """For checks that run with a real device, too: it is plugged in and bound.

    With a model it is `pointer`.
    """
    if "mouse_24ae_2002" in rig.chips:
        yield request.getfixturevalue("pointer")
        return
    if usb.devnum().value == 0:
        pytest.skip("no such device is plugged in: plug it in, or remove it from board.yaml")
    _ = usb.wait_plugged().value
    yield None
    _ = usb.wait_plugged().errno
