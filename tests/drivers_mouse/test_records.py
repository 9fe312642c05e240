"""Input events and usbmon's records, unpacked; what is wrong in a recording."""
import errno
import struct

from hypothesis import given
from hypothesis import strategies as st

from drivers.mouse import evdev, events, usbmon


def packed(*events_given):
    return b"".join(struct.pack("<qHHi", *event) for event in events_given)


def record(kind, number=1, endpoint=0x81, status=0, data=b"", at_us=0, device=2):
    """A usbmon record, as read() gives it."""
    return struct.pack("=QBBBBHccqiiII8s", number, ord(kind), 1, endpoint, device, 1, b"-", b"\0", at_us // 1000000,
                       at_us % 1000000, status, len(data), len(data), bytes(8)) + data


def test_a_frame_is_what_came_before_its_syn_report():
    recorded = packed((5, 2, 0, -3), (5, 2, 1, 4), (5, 0, 0, 0), (9, 4, 4, 0x90001), (9, 1, 0x110, 1), (9, 0, 0, 0),
                      (11, 0, 3, 0), (11, 0, 0, 0), (12, 2, 8, 1))
    assert events.frames(recorded) == [
        {"at_ns": 5, "x": -3, "y": 4}, {"at_ns": 9, "4/4": 0x90001, "left": 1}, {"at_ns": 11, "dropped": 0}]
    assert events.motion(recorded) == [[-3, 4, 0], [0, 0, 0], [0, 0, 0]]
    assert events.buttons(recorded) == [["left", 1]]


@given(st.lists(st.tuples(st.integers(0, 1 << 62), st.integers(0, 31), st.integers(0, 0x2FF),
                          st.integers(-(1 << 31), (1 << 31) - 1)), max_size=60))
def test_any_events_make_as_many_frames_as_there_are_syn_reports(given_events):
    recorded = packed(*given_events)
    assert len(events.frames(recorded)) == sum(event[1:3] == (0, 0) for event in given_events)


def test_ioctl_numbers_are_the_kernels():
    assert evdev.EVIOCSCLOCKID == 0x400445A0
    assert evdev.EVIOCGRAB == 0x40044590
    assert usbmon.MON_IOCT_RING_SIZE == 0x9204
    assert usbmon.MON_IOCG_STATS == 0x80089203
    assert usbmon.HEADER.size == 48


def test_a_usbmon_record_says_when_what_and_how_it_ended():
    given_record = record("C", number=7, status=-32, data=b"\0\1", at_us=3000005)
    assert usbmon.urbs([given_record]) == [(7, "C", "interrupt", 0x81, 3000005000, -32, 2, b"\0\1")]
    assert usbmon.of_device([given_record, record("S", device=3)], 2) == [given_record]


def test_pairs_failures_and_intervals_of_a_recording():
    recorded = usbmon.urbs([
        record("C", 9), record("S"), record("C", data=b"a", at_us=1000), record("S"),
        record("C", data=b"b", at_us=2500), record("S"),
        record("C", status=-errno.ENOENT), record("S"), record("C", status=-errno.EPIPE), record("S")])
    assert usbmon.unpaired(recorded) == []
    assert usbmon.failures(recorded) == [(0x81, "EPIPE")]
    assert usbmon.intervals_ms(recorded, 0x81) == [1.5]


def test_urbs_that_complete_twice_or_are_submitted_twice_are_named():
    twice = usbmon.urbs([record("S"), record("C"), record("C"), record("S"), record("S")])
    assert usbmon.unpaired(twice) == ["URB 1 on 0x81 completes twice", "URB 1 on 0x81 is submitted twice"]
