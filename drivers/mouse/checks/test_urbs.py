"""URBs by usbmon, and the way of a report through the kernel by its trace."""
from __future__ import annotations

import statistics

import pytest
from bench.capture import urb

from drivers.checks.replug import replug
from drivers.mouse.checks.contracts import (
    each_report_is_an_input_frame_in_time,
    every_report_is_passed_to_hid,
    every_urb_is_given_back,
)
from drivers.uapi import input_event_codes

ENDPOINT = 0x81
STEPS = [(dx, 1, 0) for dx in range(1, 41)]


def recorded(mouse, pointer, steps=STEPS, **options):
    """Play motions; the watched events, and the device's URBs."""
    with mouse.recording("usb").watch(reports=len(steps), **options) as watch:
        pointer.play(steps)
    return watch, watch.capture("usb").urbs


@pytest.mark.fault(
    "mouse_24ae_2002:babble", "mouse_24ae_2002:endpoint_stalls", "mouse_24ae_2002:nak_for_ever"
)
def test_every_submitted_urb_completes_without_error(mouse, pointer):
    _, urbs = recorded(mouse, pointer)
    assert urb.unpaired(urbs) == []
    assert urb.failures(urbs) == []
    assert [transfer.data for transfer in urb.completions(urbs, ENDPOINT)] == [
        bytes((0, dx, 1, 0)) for dx, _, _ in STEPS
    ]


@pytest.mark.fault("mouse_24ae_2002:reports_slow", "mouse_24ae_2002:wrong_interval")
def test_reports_are_polled_at_the_endpoints_interval(usb, mouse, pointer, measure):
    _ = replug(usb, pointer).value  # the interval counts from here
    watch, urbs = recorded(mouse, pointer)
    intervals = urb.intervals_ms(urbs, ENDPOINT)
    limits = mouse.limits
    measure(
        "interval, median",
        statistics.median(intervals),
        "ms",
        limit=limits.get("interval_ms", 16.0),
    )
    measure("interval, jitter", statistics.pstdev(intervals), "ms", limit=limits.get("jitter_ms"))
    taken = urb.completions(urbs, ENDPOINT)
    events = input_event_codes.frames(watch.value["events"])
    late = [
        (event["at_ns"] - transfer.at_ns) / 1e6
        for transfer, event in zip(taken, events, strict=True)
    ]
    measure(
        "from the bus to the program, median",
        statistics.median(late),
        "ms",
        limit=limits.get("latency_ms"),
    )


@pytest.mark.fault(
    "mouse_24ae_2002:lose_reports",
    "mouse_24ae_2002:duplicate_reports",
    "mouse_24ae_2002:babble",
    "mouse_24ae_2002:phantom_reports",
)
def test_each_report_becomes_one_input_frame_in_the_trace(mouse, pointer):
    reach = every_report_is_passed_to_hid.bind(reports=len(STEPS))
    soon = each_report_is_an_input_frame_in_time.bind(latency="20 ms")
    watching = mouse.tracing(reach, soon, every_urb_is_given_back).recording("usb")
    with watching.watch(reports=len(STEPS)) as watch:
        pointer.play(STEPS)
    assert reach(watch)
    assert soon(watch)
    assert every_urb_is_given_back(watch)
