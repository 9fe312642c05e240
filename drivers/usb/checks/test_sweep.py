"""Each transfer of an enumeration, and of a port reset, fails once: the kernel retries, nothing
hangs.
"""
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

    result = sweep("mouse_24ae_2002:bus_fail", plug_in)
    assert len(result.fired) > 5, result.ended
    assert (result.silent, result.lasting, result.unwell) == ([], [], [])


@pytest.mark.sweep
@pytest.mark.expects(splat="usb |usbhid |hid-generic ")
@pytest.mark.fault("mouse_24ae_2002:control_error")
def test_a_port_reset_survives_every_failed_transfer(sweep, usb, pointer):
    def enumerated():
        assert usb.wait_plugged(modules=MODULES, timeout_s=6.0).errno == 0, (
            "not enumerated after the reset"
        )

    result = sweep(
        "mouse_24ae_2002:bus_fail", usb.reset, before=enumerated, right=lambda seconds: seconds > 0
    )
    assert len(result.fired) > 1, result.ended
    assert (result.lasting, result.unwell) == ([], [])
