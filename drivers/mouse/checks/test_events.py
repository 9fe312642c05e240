"""Input events: each button, motion and wheel event arrives once and in order."""
from __future__ import annotations

import random

import pytest

from drivers.uapi import input_event_codes

BUTTONS = ["left", "right", "middle", "side", "extra"]


def played(mouse, pointer, steps, **options):
    """Play motions and return what `watch` saw: one frame each."""
    with mouse.watch(reports=len(steps), **options) as watch:
        pointer.play(steps)
    return watch.value


@pytest.mark.fault(
    "mouse_24ae_2002:button_stuck", "mouse_24ae_2002:buttons_dead", "mouse_24ae_2002:lose_reports"
)
def test_each_button_is_pressed_and_released(mouse, pointer):
    with mouse.watch(reports=2 * len(BUTTONS)) as watch:
        for name in BUTTONS:
            pointer.click(name)
    assert input_event_codes.buttons(watch.value["events"]) == [
        [name, value] for name in BUTTONS for value in (1, 0)
    ]


@pytest.mark.fault("mouse_24ae_2002:button_stuck", "mouse_24ae_2002:buttons_dead")
def test_buttons_held_together_are_reported_separately(mouse, pointer):
    with mouse.watch(reports=4) as watch:
        pointer.press("left", "right")
        pointer.press("middle")
        pointer.release("left")
        pointer.release()
    assert input_event_codes.buttons(watch.value["events"]) == [
        ["left", 1],
        ["right", 1],
        ["middle", 1],
        ["left", 0],
        ["right", 0],
        ["middle", 0],
    ]


@pytest.mark.fault(
    "mouse_24ae_2002:axes_swapped",
    "mouse_24ae_2002:axis_inverted",
    "mouse_24ae_2002:motion_clipped",
    "mouse_24ae_2002:lose_reports",
    "mouse_24ae_2002:duplicate_reports",
    "mouse_24ae_2002:reorder_reports",
    "mouse_24ae_2002:corrupt_reports",
    "mouse_24ae_2002:phantom_reports",
    "mouse_24ae_2002:nak_for_ever",
)
def test_motion_over_the_full_range_of_both_axes_is_reported_exactly(mouse, pointer):
    steps = [(count, 127 - abs(count) or 1, 0) for count in range(-127, 128) if count]
    watched = played(mouse, pointer, steps)
    assert input_event_codes.motion(watched["events"]) == [list(step) for step in steps]


@pytest.mark.fault("mouse_24ae_2002:wheel_dead", "mouse_24ae_2002:short_reports")
def test_the_wheel_turns_both_ways(mouse, pointer):
    steps = [(0, 1, turn) for turn in (1, -1, 2, -2, 127, -127)]
    assert input_event_codes.motion(played(mouse, pointer, steps)["events"]) == [
        list(step) for step in steps
    ]


@pytest.mark.fault(
    "mouse_24ae_2002:button_stuck",
    "mouse_24ae_2002:axis_inverted",
    "mouse_24ae_2002:wheel_dead",
    "mouse_24ae_2002:duplicate_reports",
)
def test_usbmouse_reports_the_same_events_as_usbhid(mouse, pointer, usbmouse):
    steps = [(1, -1, 0), (-127, 127, 0), (127, -127, 1), (3, 4, -127)]
    watched = played(mouse, pointer, steps)
    assert input_event_codes.motion(watched["events"]) == [list(step) for step in steps]
    with mouse.watch(reports=2 * len(BUTTONS)) as watch:
        for name in BUTTONS:
            pointer.click(name)
    assert input_event_codes.buttons(watch.value["events"]) == [
        [name, value] for name in BUTTONS for value in (1, 0)
    ]


@pytest.mark.fault("mouse_24ae_2002:nak_for_ever")
@pytest.mark.driver("usbmouse")
def test_usbmouse_reports_no_wheel_event_for_a_short_report(mouse, pointer, usbmouse):
    with mouse.watch(reports=2) as watch:
        pointer.send(b"\0\1\1\5", b"\0\2\2")
    assert input_event_codes.motion(watch.value["events"]) == [[1, 1, 5], [2, 2, 0]]


@pytest.mark.fault(
    "mouse_24ae_2002:short_reports",
    "mouse_24ae_2002:corrupt_reports",
    "mouse_24ae_2002:reorder_reports",
)
def test_hidraw_returns_the_reports_on_the_wire(mouse, pointer):
    steps = [(dx, -dx, 0) for dx in range(1, 25)]
    watched = played(mouse, pointer, steps, raw=True)
    assert watched["raw"] == [bytes((0, dx, 256 - dx, 0)) for dx, _, _ in steps]
    assert watched["raw"] == [event[3] for event in pointer.seen("transfer")]


@pytest.mark.slow(12)
@pytest.mark.fault(
    "mouse_24ae_2002:lose_reports",
    "mouse_24ae_2002:duplicate_reports",
    "mouse_24ae_2002:reorder_reports",
    "mouse_24ae_2002:corrupt_reports",
)
def test_no_event_of_ten_thousand_is_lost_duplicated_or_reordered(mouse, pointer, measure):
    chance = random.Random(2002)
    steps = [(chance.randint(1, 127), -chance.randint(1, 127), 0) for _ in range(10_000)]
    packed = b""
    # By the thousand: QEMU queues 2000 reports that the guest has not polled yet, then drops half
    # of them (hw/usb/redirect.c, bufp_alloc). A real mouse waits until it is polled.
    for at in range(0, len(steps), 1000):
        packed += played(mouse, pointer, steps[at : at + 1000], timeout_s=30.0)["events"]
    frames = input_event_codes.frames(packed)
    if any("dropped" in frame for frame in frames):
        pytest.skip("SYN_DROPPED: the target was too busy to read 64 events in time")
    moved = input_event_codes.motion(packed)
    assert len(moved) == 10_000
    assert moved == [list(step) for step in steps]
    times = [frame["at_ns"] for frame in frames]
    assert times == sorted(times)
    measure("reports", 1e9 * 999 / (times[999] - times[0]), "/s")


@pytest.mark.fault("mouse_24ae_2002:stall_every_request", "mouse_24ae_2002:buttons_dead")
def test_get_report_returns_the_current_report(mouse, pointer):
    with mouse.watch(reports=1) as watch:
        pointer.press("left", "middle")
    assert input_event_codes.buttons(watch.value["events"]) == [["left", 1], ["middle", 1]]
    assert mouse.input_report(size=4).value == b"\x05\0\0\0"
    with mouse.watch(reports=1):
        pointer.release()


@pytest.mark.fault("mouse_24ae_2002:unplug_lost")
def test_a_pending_read_ends_with_enodev_at_disconnect(mouse, pointer):
    with mouse.watch(reports=2, timeout_s=2.0) as watch:
        pointer.move(dx=1)
        pointer.wait_until_sent()
        pointer.unplug()
    assert watch.value["gone"]
