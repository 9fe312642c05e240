"""Every transfer of a device that is being plugged in fails once: the kernel tries again, and nothing hangs."""
from __future__ import annotations

import pytest

from drivers.checks.replug import MODULES


@pytest.mark.sweep
@pytest.mark.expects(splat="usb |usbhid |hid-generic ")
@pytest.mark.fault("mouse_24ae_2002:control_error")
def test_enumeration_survives_every_failed_transfer(sweep, usb, pointer):
    def plug_in():
        was = usb.devnum().value
        pointer.replug()
        return usb.wait_plugged(modules=MODULES, other_than=was, timeout_s=6.0)

    found = sweep("mouse_24ae_2002:bus_fail", plug_in)
    assert len(found.fired) > 5, found.ended
    assert (found.silent, found.lasting, found.unwell) == ([], [], [])


@pytest.mark.sweep
@pytest.mark.expects(splat="usb |usbhid |hid-generic ")
@pytest.mark.fault("mouse_24ae_2002:control_error")
def test_a_port_reset_survives_every_failed_transfer(sweep, usb, pointer):
    def there():
        assert usb.wait_plugged(modules=MODULES, timeout_s=6.0).errno == 0, "it did not come back after the reset"

    found = sweep("mouse_24ae_2002:bus_fail", usb.reset, before=there, right=lambda seconds: seconds > 0)
    assert len(found.fired) > 1, found.ended
    assert (found.lasting, found.unwell) == ([], [])
