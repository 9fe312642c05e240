"""The device suspends and resumes with the system's devices.

Ref: Documentation/power/basic-pm-debugging.rst
"""
from __future__ import annotations

import errno

import pytest

from drivers.checks.endpoints import plug
from drivers.dm9000.checks.contracts import suspends_and_resumes


def suspend_and_resume(kernel, measure):
    answer = kernel.tracing(suspends_and_resumes).suspend(level="devices")
    if answer.errno in (errno.ENOENT, errno.EINVAL, errno.ENODEV):
        pytest.skip("this kernel has no pm_test")
    measure("suspend and resume of all devices", answer.value["seconds"], "s", limit=5.0)
    assert suspends_and_resumes(answer)


@pytest.mark.fault("seeded_bug:fail_suspend", "seeded_bug:slow_suspend")
def test_traffic_continues_after_suspend_and_resume(net, dm9000, kernel, endpoints, cable, measure):
    suspend_and_resume(kernel, measure)
    assert net.wait_for_carrier(wanted=True, timeout_s=2.0).value < 2.0
    assert len(net.ping(address=endpoints.partner_ip, count=3).value) == 3
    with net.echo(count=1, timeout_s=2.0) as echo:
        cable.send(endpoints.to_board(1514))
    assert echo.value["frames"] == [endpoints.to_board(1514)]


@pytest.mark.fault("seeded_bug:fail_suspend", "dm9000:lose_link_interrupts")
def test_carrier_changes_are_detected_after_suspend_and_resume(
    net, dm9000, kernel, endpoints, cable, measure
):
    plug(net, cable, True)
    suspend_and_resume(kernel, measure)
    assert plug(net, cable, False) < 1.0
    assert plug(net, cable, True) < 1.0


@pytest.mark.fault("seeded_bug:fail_suspend")
def test_an_interface_that_is_down_suspends_and_resumes(
    net, dm9000, kernel, endpoints, cable, measure
):
    _ = net.set_link(up=False).value
    suspend_and_resume(kernel, measure)
    _ = net.set_up_link(
        address=endpoints.ip, partner=endpoints.partner_ip, partner_mac=endpoints.partner_mac
    ).value
    assert len(net.ping(address=endpoints.partner_ip, count=1).value) == 1
