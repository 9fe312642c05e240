"""The standard requests, and what the device refuses.   Ref: USB 2.0, 9.4"""
from __future__ import annotations

import errno

import pytest

DEVICE_IN, INTERFACE_IN, ENDPOINT_IN = 0x80, 0x81, 0x82
DEVICE_OUT, ENDPOINT_OUT = 0x00, 0x02
HID_IN, HID_OUT = 0xA1, 0x21
GET_STATUS, CLEAR_FEATURE, SET_FEATURE, SYNCH_FRAME = 0, 1, 3, 12
GET_PROTOCOL, SET_PROTOCOL = 3, 11
ENDPOINT_HALT, REMOTE_WAKEUP = 0, 1
DEVICE_QUALIFIER = 6
ENDPOINT = 0x81
REPORTS = [bytes((0, dx, 0, 0)) for dx in range(1, 13)]


@pytest.mark.fault("mouse_24ae_2002:stall_every_request", "mouse_24ae_2002:control_error",
                   "mouse_24ae_2002:control_mute", "mouse_24ae_2002:remote_wakeup_lost")
def test_every_standard_request_is_answered(usb, pointer):
    def status(kind, index=0):
        return usb.control_in(request_type=kind, request=GET_STATUS, index=index, length=2, timeout_s=0.3).value

    assert usb.configuration().value == 1
    assert usb.set_interface(interface=0, alternate=0).value == 0
    assert [status(DEVICE_IN), status(INTERFACE_IN), status(ENDPOINT_IN, ENDPOINT)] == [b"\0\0"] * 3
    usb.control_out(request_type=DEVICE_OUT, request=SET_FEATURE, value=REMOTE_WAKEUP)
    assert status(DEVICE_IN) == b"\2\0"
    usb.control_out(request_type=DEVICE_OUT, request=CLEAR_FEATURE, value=REMOTE_WAKEUP)
    assert status(DEVICE_IN) == b"\0\0"


@pytest.mark.fault("mouse_24ae_2002:unknown_requests_accepted", "mouse_24ae_2002:alternate_setting_accepted")
def test_what_the_device_does_not_have_it_refuses(usb, pointer):
    assert usb.descriptor(kind=DEVICE_QUALIFIER).errno == errno.EPIPE
    assert usb.control_in(request_type=0xC0, request=0x42, length=4).errno == errno.EPIPE
    assert usb.control_in(request_type=ENDPOINT_IN, request=SYNCH_FRAME, index=ENDPOINT, length=2).errno == errno.EPIPE
    assert usb.set_interface(interface=0, alternate=1).errno == errno.EPIPE
    assert pointer.findings == []


@pytest.mark.fault("mouse_24ae_2002:configuration_lost", "mouse_24ae_2002:stall_every_request")
@pytest.mark.expects(splat=r"usb \d-\d: can't set config|usbhid ")
def test_without_a_configuration_it_has_no_interface_and_gets_it_back(usb, pointer):
    usb.set_configuration(value=0)
    assert usb.identity().value["drivers"] == {}
    assert usb.configuration().value == 0
    usb.set_configuration(value=1)
    assert list(usb.wait_plugged(driver="usbhid").value.values()) == ["usbhid"]
    assert usb.configuration().value == 1
    assert [event for event in pointer.wire if event[0] == "configuration"] == [
        ("configuration", 0), ("configuration", 1)]


@pytest.mark.fault("mouse_24ae_2002:halt_ignored", "mouse_24ae_2002:status_lies", "mouse_24ae_2002:halt_not_cleared")
def test_a_halted_endpoint_stalls_until_it_is_cleared(usb, pointer):
    usb.control_out(request_type=ENDPOINT_OUT, request=SET_FEATURE, value=ENDPOINT_HALT, index=ENDPOINT)
    assert usb.control_in(request_type=ENDPOINT_IN, request=GET_STATUS, index=ENDPOINT, length=2).value == b"\1\0"
    with usb.interrupt_reads(endpoint=ENDPOINT, count=1, timeout_s=1.0) as reading:
        pointer.send(REPORTS[0])
    assert (reading.value["data"], reading.value["errno"]) == ([], errno.EPIPE)
    assert usb.clear_halt(endpoint=ENDPOINT).value == 0
    with usb.interrupt_reads(endpoint=ENDPOINT, count=1, timeout_s=1.0) as reading:
        pointer.send(REPORTS[1])
    assert reading.value["errno"] == 0


@pytest.mark.fault("mouse_24ae_2002:reset_ignored", "mouse_24ae_2002:protocol_ignored")
def test_a_reset_takes_it_back_to_where_it_began(usb, pointer):
    usb.control_out(request_type=HID_OUT, request=SET_PROTOCOL, value=0)
    assert usb.control_in(request_type=HID_IN, request=GET_PROTOCOL, length=1).value == b"\0"
    pointer.clear()
    usb.reset()
    _ = usb.wait_plugged(driver="usbhid").value
    assert usb.control_in(request_type=HID_IN, request=GET_PROTOCOL, length=1).value == b"\1"
    assert [event for event in pointer.wire if event[0] in ("reset", "configuration")][-1] == ("configuration", 1)


@pytest.mark.fault("mouse_24ae_2002:lose_reports", "mouse_24ae_2002:duplicate_reports",
                   "mouse_24ae_2002:reorder_reports", "mouse_24ae_2002:corrupt_reports",
                   "mouse_24ae_2002:short_reports", "mouse_24ae_2002:nak_for_ever", "mouse_24ae_2002:babble",
                   "mouse_24ae_2002:endpoint_stalls", "mouse_24ae_2002:phantom_reports")
def test_a_program_in_the_drivers_place_reads_each_report_and_gives_the_device_back(usb, pointer):
    with usb.interrupt_reads(endpoint=ENDPOINT, count=len(REPORTS), size=4, timeout_s=2.0) as reading:
        pointer.send(*REPORTS)
    assert reading.value["data"] == REPORTS
    assert [event[3] for event in pointer.seen("transfer")] == REPORTS
    assert list(usb.wait_plugged(driver="usbhid").value.values()) == ["usbhid"]
