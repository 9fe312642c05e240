"""HID: boot and report protocol, requests, malformed reports and descriptors, stalls."""
from __future__ import annotations

import pytest
from bench.capture import urb

from drivers.checks.replug import put_back, replug
from drivers.uapi import input_event_codes

HID_IN, HID_OUT = 0xA1, 0x21
ENDPOINT = 0x81
GET_PROTOCOL, SET_IDLE, SET_PROTOCOL = 3, 10, 11
NOISE = r"usb \d-\d: |usb usb\d-port\d: |usbhid |hid-generic |hid [\d(]|input: |usbmouse "


@pytest.mark.fault("mouse_24ae_2002:protocol_ignored", "mouse_24ae_2002:wrong_report_size")
def test_boot_protocol_reports_have_no_wheel_and_still_move_usbmouse(usb, mouse, pointer, usbmouse):
    # usbhid parses by the report descriptor, whatever the protocol
    boot = [[HID_OUT, SET_PROTOCOL, 0, 0, b""], [HID_IN, GET_PROTOCOL, 0, 0, 1]]
    assert usb.requests(wanted=boot).value == [0, b"\0"]
    assert mouse.use_driver(driver="usbmouse").value == "usbmouse"
    with mouse.recording("usb").watch(reports=2) as watch:
        pointer.play([(5, -5, 3), (-6, 6, 3)])
    sent = urb.completions(watch.capture("usb").urbs, ENDPOINT)
    assert [transfer.data for transfer in sent] == [b"\0\x05\xfb", b"\0\xfa\x06"]
    assert [step[:2] for step in input_event_codes.motion(watch.value["events"])] == [
        [5, -5],
        [-6, 6],
    ]


@pytest.mark.fault("mouse_24ae_2002:idle_refused")
@pytest.mark.expects(splat=NOISE)
def test_probe_sends_set_idle_and_reads_the_report_descriptor(usb, mouse, pointer):
    _ = replug(usb, pointer).value
    requests = [event for event in pointer.seen("control") if event[1:3] == (HID_OUT, SET_IDLE)]
    assert [(event[3], event[6].value) for event in requests] == [(0, "ok")]
    own = pointer.declared.configurations[0].interfaces[0].hid.report
    assert mouse.report_descriptor().value == own


@pytest.mark.fault("mouse_24ae_2002:nak_for_ever", "mouse_24ae_2002:axes_swapped")
@pytest.mark.expects(splat=NOISE)
def test_usbhid_survives_empty_short_and_oversized_reports(mouse, pointer):
    survives_malformed_reports(mouse, pointer)


@pytest.mark.slow
@pytest.mark.fault("mouse_24ae_2002:nak_for_ever", "mouse_24ae_2002:axes_swapped")
@pytest.mark.expects(splat=NOISE)
def test_usbmouse_survives_empty_short_and_oversized_reports(mouse, pointer, usbmouse):
    survives_malformed_reports(mouse, pointer)


def survives_malformed_reports(mouse, pointer):
    """Send malformed reports, then a valid one."""
    with mouse.watch(reports=100, timeout_s=0.4):
        pointer.send(b"", b"\0", b"\0\x01", bytes(8), bytes(64), b"\xff" * 200)
        assert pointer.wait_until_sent(2.0)
    with mouse.watch(reports=1, timeout_s=3.0) as watch:
        pointer.move(dx=7, dy=9)
    assert [7, 9, 0] in input_event_codes.motion(watch.value["events"])


@pytest.mark.fault("mouse_24ae_2002:halt_not_cleared", "mouse_24ae_2002:nak_for_ever")
def test_usbhid_clears_the_halt_after_a_stall(mouse, pointer):
    clears_the_halt(mouse, pointer)


@pytest.mark.fault("mouse_24ae_2002:nak_for_ever")
@pytest.mark.driver("usbmouse")
def test_usbmouse_clears_the_halt_after_a_stall(mouse, pointer, usbmouse):
    clears_the_halt(mouse, pointer)


def clears_the_halt(mouse, pointer):
    """The endpoint halts with a report pending: the driver must clear the halt and fetch the
    report.
    """
    with mouse.watch(reports=1, timeout_s=2.0) as watch:
        pointer.halt(ENDPOINT)
        pointer.move(dx=5)
    assert pointer.seen("transfer")[0][2].value == "stall"
    assert input_event_codes.motion(watch.value["events"]) == [[5, 0, 0]]


def plug_malformed(usb, pointer, seeds):
    """Plug in a device with malformed descriptors for each seed; how many the kernel gave up."""
    given_up = 0
    for seed in seeds:
        with usb.enumeration() as enumeration:
            pointer.replug_malformed(seed)
        given_up += enumeration.value["given_up"]
    return given_up


@pytest.mark.fault("mouse_24ae_2002:replug_lost", "mouse_24ae_2002:stall_every_request")
@pytest.mark.expects(splat=NOISE)
def test_malformed_descriptors_do_not_crash_the_kernel(usb, mouse, pointer):
    plug_malformed(usb, pointer, range(2))
    works_again(usb, mouse, pointer)


@pytest.mark.slow(20)
@pytest.mark.fault("mouse_24ae_2002:replug_lost")
@pytest.mark.expects(splat=NOISE)
def test_many_devices_with_malformed_descriptors_do_not_crash_the_kernel(
    usb, mouse, pointer, measure
):
    number = int(mouse.limits.get("lying_devices", 200))
    # The kernel tries four times, most of a second, to enumerate a malformed device.
    measure("devices given up", plug_malformed(usb, pointer, range(2, 2 + number)), f"of {number}")
    works_again(usb, mouse, pointer)


def works_again(usb, mouse, pointer):
    """The mouse in its initial state is plugged in and moves."""
    assert list(put_back(usb, pointer, timeout_s=10.0).value.values()) == ["usbhid"]
    with mouse.watch(reports=1) as watch:
        pointer.move(dx=3)
    assert input_event_codes.motion(watch.value["events"]) == [[3, 0, 0]]
