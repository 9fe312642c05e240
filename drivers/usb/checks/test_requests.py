"""The standard requests, and what the device refuses.   Ref: USB 2.0, 9.4"""
from __future__ import annotations

import errno

import pytest

DEVICE_IN, INTERFACE_IN, ENDPOINT_IN = 0x80, 0x81, 0x82
DEVICE_OUT, INTERFACE_OUT, ENDPOINT_OUT = 0x00, 0x01, 0x02
VENDOR_IN = 0xC0
HID_IN, HID_OUT = 0xA1, 0x21
GET_STATUS, CLEAR_FEATURE, SET_FEATURE, GET_DESCRIPTOR, GET_CONFIGURATION = 0, 1, 3, 6, 8
GET_INTERFACE, SET_INTERFACE, SYNCH_FRAME = 10, 11, 12
GET_PROTOCOL, SET_PROTOCOL = 3, 11
ENDPOINT_HALT, REMOTE_WAKEUP = 0, 1
DEVICE_QUALIFIER = 6
ENDPOINT = 0x81
REPORTS = [bytes((0, dx, 0, 0)) for dx in range(1, 13)]


@pytest.mark.fault(
    "mouse_24ae_2002:stall_every_request",
    "mouse_24ae_2002:control_error",
    "mouse_24ae_2002:remote_wakeup_lost",
)
def test_every_standard_request_is_answered(usb, plugged):
    answers = (
        usb.recording("usb")
        .requests(
            timeout_s=0.3,
            wanted=[
                [DEVICE_IN, GET_CONFIGURATION, 0, 0, 1],
                [INTERFACE_OUT, SET_INTERFACE, 0, 0, b""],
                [INTERFACE_IN, GET_INTERFACE, 0, 0, 1],
                [DEVICE_IN, GET_STATUS, 0, 0, 2],
                [INTERFACE_IN, GET_STATUS, 0, 0, 2],
                [ENDPOINT_IN, GET_STATUS, 0, ENDPOINT, 2],
                [DEVICE_OUT, SET_FEATURE, REMOTE_WAKEUP, 0, b""],
                [DEVICE_IN, GET_STATUS, 0, 0, 2],
                [DEVICE_OUT, CLEAR_FEATURE, REMOTE_WAKEUP, 0, b""],
                [DEVICE_IN, GET_STATUS, 0, 0, 2],
            ],
        )
        .value
    )
    assert answers == [b"\1", 0, b"\0", b"\0\0", b"\0\0", b"\0\0", 0, b"\2\0", 0, b"\0\0"]


@pytest.mark.fault(
    "mouse_24ae_2002:unknown_requests_accepted", "mouse_24ae_2002:alternate_setting_accepted"
)
def test_unsupported_requests_stall(usb, plugged):
    answers = (
        usb.recording("usb")
        .requests(
            wanted=[
                [DEVICE_IN, GET_DESCRIPTOR, DEVICE_QUALIFIER << 8, 0, 10],
                [VENDOR_IN, 0x42, 0, 0, 4],
                [ENDPOINT_IN, SYNCH_FRAME, 0, ENDPOINT, 2],
                [INTERFACE_OUT, SET_INTERFACE, 1, 0, b""],
                [ENDPOINT_OUT, SET_FEATURE, REMOTE_WAKEUP, ENDPOINT, b""],
            ]
        )
        .value
    )
    assert answers == [{"errno": errno.EPIPE}] * 5
    assert usb.configuration().value == 1


@pytest.mark.fault("mouse_24ae_2002:configuration_lost", "mouse_24ae_2002:stall_every_request")
@pytest.mark.expects(splat=r"usb \d-\d: can't set config|usbhid ")
def test_configuration_0_removes_the_interfaces_and_1_restores_them(usb, plugged):
    usb.set_configuration(value=0)
    assert usb.identity().value["drivers"] == {}
    assert usb.configuration().value == 0
    usb.set_configuration(value=1)
    assert list(usb.wait_plugged(driver="usbhid").value.values()) == ["usbhid"]
    assert usb.configuration().value == 1
    if plugged:
        assert plugged.seen("configuration") == [("configuration", 0), ("configuration", 1)]


@pytest.mark.fault(
    "mouse_24ae_2002:halt_ignored",
    "mouse_24ae_2002:halt_not_reported",
    "mouse_24ae_2002:halt_not_cleared",
)
def test_a_halted_endpoint_stalls_until_clear_halt(usb, pointer):
    assert usb.recording("usb").requests(
        wanted=[
            [ENDPOINT_OUT, SET_FEATURE, ENDPOINT_HALT, ENDPOINT, b""],
            [ENDPOINT_IN, GET_STATUS, 0, ENDPOINT, 2],
        ]
    ).value == [0, b"\1\0"]
    with usb.recording("usb").interrupt_reads(endpoint=ENDPOINT, count=1, timeout_s=1.0) as reading:
        pointer.send(REPORTS[0])
    assert (reading.value["data"], reading.value["errno"]) == ([], errno.EPIPE)
    assert usb.clear_halt(endpoint=ENDPOINT).value == 0
    with usb.recording("usb").interrupt_reads(endpoint=ENDPOINT, count=1, timeout_s=1.0) as reading:
        pointer.send(REPORTS[1])
    assert reading.value["errno"] == 0


@pytest.mark.fault("mouse_24ae_2002:reset_ignored", "mouse_24ae_2002:protocol_ignored")
def test_a_port_reset_restores_the_initial_state(usb, plugged):
    boot = [[HID_OUT, SET_PROTOCOL, 0, 0, b""], [HID_IN, GET_PROTOCOL, 0, 0, 1]]
    assert usb.requests(wanted=boot).value == [0, b"\0"]
    usb.reset()
    _ = usb.wait_plugged(driver="usbhid").value
    assert usb.control_in(request_type=HID_IN, request=GET_PROTOCOL, length=1).value == b"\1"
    if plugged:
        assert plugged.seen("reset", "configuration")[-1] == ("configuration", 1)


@pytest.mark.fault(
    "mouse_24ae_2002:lose_reports",
    "mouse_24ae_2002:duplicate_reports",
    "mouse_24ae_2002:reorder_reports",
    "mouse_24ae_2002:corrupt_reports",
    "mouse_24ae_2002:short_reports",
    "mouse_24ae_2002:nak_for_ever",
    "mouse_24ae_2002:babble",
    "mouse_24ae_2002:endpoint_stalls",
    "mouse_24ae_2002:phantom_reports",
)
def test_usbfs_reads_every_report_and_the_driver_is_reattached(usb, pointer):
    with usb.recording("usb").interrupt_reads(
        endpoint=ENDPOINT, count=len(REPORTS), size=4, timeout_s=2.0
    ) as reading:
        pointer.send(*REPORTS)
    assert reading.value["data"] == REPORTS
    assert [event[3] for event in pointer.seen("transfer")] == REPORTS
    assert list(usb.wait_plugged(driver="usbhid").value.values()) == ["usbhid"]
