"""Unbind the driver of an RTC that is in use."""
from __future__ import annotations

import errno

import pytest


@pytest.mark.slow(6)  # with the reboot after the oops
@pytest.mark.fault("pcf8563:absent")
def test_ioctls_on_an_open_rtc_return_enodev_after_unbind(rtc):
    answer = rtc.ioctls_after_unbind(driver=rtc.device.driver).value
    assert answer == {
        "unbind": 0,
        "errnos": [errno.ENODEV, errno.ENODEV],
        "ended": "done",
        "driver": rtc.device.driver,
    }


@pytest.mark.slow(4)
@pytest.mark.fault("pcf8563:absent")
@pytest.mark.expects(splat="read error")
def test_unbind_during_sysfs_reads_does_not_deadlock(rtc, pcf8563_chip):
    with pcf8563_chip.faults.switched_on("stretches_clock"):
        answer = rtc.unbind_during_read(driver=rtc.device.driver).value
    assert answer["ends"] == ["done", "done", "done"]
    assert answer["errnos"][:2] == [0, 0] and answer["errnos"][2] in (0, errno.ENODEV)
    assert answer["driver"] == rtc.device.driver
