"""Input events, unpacked."""
import struct

from hypothesis import given
from hypothesis import strategies as st

from drivers.uapi import evdev, input_event_codes


def packed(*events_given):
    return b"".join(struct.pack("<qHHi", *event) for event in events_given)


def test_a_frame_is_what_came_before_its_syn_report():
    recorded = packed((5, 2, 0, -3), (5, 2, 1, 4), (5, 0, 0, 0), (9, 4, 4, 0x90001), (9, 1, 0x110, 1), (9, 0, 0, 0),
                      (11, 0, 3, 0), (11, 0, 0, 0), (12, 2, 8, 1))
    assert input_event_codes.frames(recorded) == [
        {"at_ns": 5, "x": -3, "y": 4}, {"at_ns": 9, "4/4": 0x90001, "left": 1}, {"at_ns": 11, "dropped": 0}]
    assert input_event_codes.motion(recorded) == [[-3, 4, 0], [0, 0, 0], [0, 0, 0]]
    assert input_event_codes.buttons(recorded) == [["left", 1]]


@given(st.lists(st.tuples(st.integers(0, 1 << 62), st.integers(0, 31), st.integers(0, 0x2FF),
                          st.integers(-(1 << 31), (1 << 31) - 1)), max_size=60))
def test_any_events_make_as_many_frames_as_there_are_syn_reports(given_events):
    recorded = packed(*given_events)
    assert len(input_event_codes.frames(recorded)) == sum(event[1:3] == (0, 0) for event in given_events)


def test_ioctl_numbers_are_the_kernels():
    assert evdev.EVIOCSCLOCKID == 0x400445A0
    assert evdev.EVIOCGRAB == 0x40044590
