"""usbmon's packets, unpacked, paired and kept; the clocks that they and the kernel's log go by."""
import errno
import struct
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.capture import urb
from bench.capture.usbmon import UsbCapture
from bench.errors import Inconclusive, RecordError
from drivers.uapi import clock, usbmon


def packet(kind, number=1, endpoint=0x81, status=0, data=b"", at_us=0, device=2, order="<", captured=None, transfer=1,
           setup=b""):
    """A packet of usbmon, as MON_IOCX_GETX gives it."""
    return struct.pack(order + "QBBBBHccqiiII8siiII", number, ord(kind), transfer, endpoint, device, 1,
                       b"\0" if setup else b"-", b"\0", at_us // 1000000, at_us % 1000000, status, len(data),
                       len(data) if captured is None else captured, setup.ljust(8, b"\0"), 0, 0, 0, 0) + data


def test_ioctl_numbers_and_the_header_are_the_kernels():
    assert usbmon.MON_IOCT_RING_SIZE == 0x9204
    assert usbmon.MON_IOCG_STATS == 0x80089203
    assert usbmon.MON_IOCX_GETX & 0xFFFF == 0x920A
    assert urb.HEADER == 64


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_packet_says_when_what_and_how_it_ended(order):
    given_packet = packet("C", number=7, status=-32, data=b"\0\1", at_us=3000005, order=order)
    assert urb.urbs(given_packet, order == ">", offset_ns=1_000_000_000) == [
        (7, "C", "interrupt", 0x81, 2000005500, -32, 2, b"\0\1", 1, 2, b"")]


def test_a_control_transfers_submission_has_its_setup():
    setup = bytes.fromhex("80 06 00 01 00 00 12 00")
    [one] = urb.urbs(packet("S", endpoint=0x80, transfer=2, setup=setup, status=-115))
    assert (one.transfer, one.setup) == ("control", setup)


def test_of_a_long_transfer_the_first_4096_bytes_are_kept():
    recorded = packet("C", data=bytes(4096), captured=200_000) + packet("S")
    assert [len(one.data) for one in urb.urbs(recorded)] == [4096, 0]


def test_pairs_failures_and_intervals_of_a_recording():
    recorded = urb.urbs(b"".join([
        packet("C", 9), packet("S"), packet("C", data=b"a", at_us=1000), packet("S"),
        packet("C", data=b"b", at_us=2500), packet("S"),
        packet("C", status=-errno.ENOENT), packet("S"), packet("C", status=-errno.EPIPE), packet("S")]))
    assert urb.unpaired(recorded) == []
    assert urb.failures(recorded) == [(0x81, "EPIPE")]
    assert urb.intervals_ms(recorded, 0x81) == [1.5]
    assert [(bool(begun), done and done.status) for begun, done in urb.pairs(recorded)] == [
        (False, 0), (True, 0), (True, 0), (True, -errno.ENOENT), (True, -errno.EPIPE), (True, None)]


def test_urbs_that_complete_twice_or_are_submitted_twice_are_named():
    twice = urb.urbs(packet("S") + packet("C") + packet("C") + packet("S") + packet("S"))
    assert urb.unpaired(twice) == ["URB 1 on 0x81 completes twice", "URB 1 on 0x81 is submitted twice"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
@given(st.lists(st.tuples(st.sampled_from("SCE"), st.integers(0, 3), st.binary(max_size=40)), max_size=20),
       st.sampled_from("<>"), st.integers(1, 63))
def test_whatever_is_recorded_comes_back_in_order_and_a_cut_is_noticed(given_packets, order, cut):
    recorded = b"".join(packet(kind, number, data=data, order=order) for kind, number, data in given_packets)
    found = urb.urbs(recorded, order == ">")
    assert [(one.kind, one.id, one.data) for one in found] == given_packets
    assert sum(2 if begun and done else 1 for begun, done in urb.pairs(found)) == len(found)
    if recorded:
        with pytest.raises(ValueError, match="ends in the middle of a packet"):
            urb.urbs(recorded[:-cut], order == ">")


@pytest.mark.parametrize("big_endian", [False, True])
def test_a_capture_is_kept_as_pcap_with_usbmons_own_stamps(tmp_path, big_endian):
    order = ">" if big_endian else "<"
    data = packet("S", at_us=7_000_001, order=order) + packet("C", data=b"abc", at_us=7_000_003, order=order)
    UsbCapture(data, 1, 2, offset_ns=5_000_000_000, big_endian=big_endian).save(tmp_path / "usb.pcap")
    raw = (tmp_path / "usb.pcap").read_bytes()
    assert struct.unpack_from(order + "IHHiIII", raw) == (0xA1B23C4D, 2, 4, 0, 0, 65535, 220)
    assert struct.unpack_from(order + "IIII", raw, 24) == (7, 1500, 64, 64)
    assert UsbCapture.load(tmp_path / "usb.pcap") == (data, big_endian)


def test_a_file_that_is_no_capture_says_what_is_wrong(tmp_path):
    path = tmp_path / "usb.pcap"
    path.write_bytes(b"text")
    with pytest.raises(RecordError, match="no pcap file"):
        UsbCapture.load(path)
    UsbCapture(packet("S")).save(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RecordError, match=r"usb\.pcap: the packet at byte 24 is cut off"):
        UsbCapture.load(path)


def test_of_a_device_that_was_plugged_in_only_its_own_packets_count():
    data = packet("S", device=1) + packet("S", device=2)
    assert [one.device for one in UsbCapture(data, 1, 2).urbs] == [2]
    assert [one.device for one in UsbCapture(data, 0, 0).urbs] == [1, 2]


def test_lost_packets_and_a_kernel_without_usbmon_decide_nothing():
    with pytest.raises(Inconclusive, match="usbmon dropped 3 packets of bus 1"):
        _ = UsbCapture(packet("S"), 1, 2, lost=3).urbs
    with pytest.raises(Inconclusive, match="no recording of the bus: usbmon of bus 1: No such file"):
        _ = UsbCapture(b"", 1, 2, missing="usbmon of bus 1: No such file or directory").urbs


def test_two_measurements_of_a_clock_make_one_that_neither_contradicts():
    assert clock.hull([[1000, 10], [1000, 30]]) == [1000, 30]
    assert clock.hull([[1000, 10], [1600, 10]]) == [1300, 310]  # it was set between the two


def test_the_wall_clock_is_measured_between_two_readings():
    offset, error = clock.wall_clock()
    assert 0 <= error < 100_000
    assert abs(time.time_ns() - time.monotonic_ns() - offset) < 50_000_000
