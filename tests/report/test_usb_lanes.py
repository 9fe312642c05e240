"""USB on the time line: each URB from its submission to its completion, its clock and that clock's error beside it."""
import dataclasses
import struct

import pytest

from bench import report
from bench.capture.usbmon import UsbCapture
from bench.report import timeline
from bench.report.lanes import Clock
from bench.store import CallRecord, CaptureRecord, CheckRecord
from bench.verdict import Outcome

US, MS = 1_000, 1_000_000
WALL = 1_700_000_000_000_000_000  # usbmon's clock less the target's
SETUP = bytes.fromhex("80 06 00 01 00 00 12 00")


def packet(kind, number, at_ns, endpoint=0x81, status=0, data=b"", setup=b""):
    seconds, rest = divmod(at_ns + WALL, 10**9)
    return struct.pack("<QBBBBHccqiiII8siiII", number, ord(kind), 1 if endpoint & 15 else 2, endpoint, 2, 1,
                       b"\0" if setup else b"-", b"\0", seconds, rest // 1000, status, len(data), len(data),
                       setup.ljust(8, b"\0"), 0, 0, 0, 0) + data


PACKETS = b"".join([
    packet("C", 7, 2 * MS, data=b"\0\1\2\0"),  # submitted before the call
    packet("S", 7, 3 * MS, status=-115), packet("C", 7, 4 * MS, status=-32),
    packet("S", 9, 5 * MS, endpoint=0x80, setup=SETUP, status=-115),
    packet("C", 9, 6 * MS, endpoint=0x80, data=bytes(18)),
    packet("S", 7, 7 * MS, status=-115),
])


def check_of(folder, **usb):
    (folder / "wire").mkdir(exist_ok=True)
    UsbCapture(PACKETS).save(folder / "wire" / "usb.pcap")
    kept = CaptureRecord(**{"recorder": "usb", "format": "usbmon", "file": "wire/usb.pcap",
                            "source": {"bus": 1, "device": 2},
                            "clock_offset_ns": WALL, "clock_error_ns": 2900, **usb})
    call = CallRecord("mouse.watch", started_ns=1 * MS, ended_ns=9 * MS, clock_error_ns=650 * US,
                      captures=(kept,))
    return CheckRecord("drivers/mouse/checks/test_bus.py::test_a", "a", "mouse", Outcome.FAIL, "mouse", seconds=0.01,
                       calls=(call,), kmsg=((2 * MS, 6, "usb 1-1: reset"),), kmsg_error_ns=27_100,
                       console=((2 * MS, "usb 1-1: reset"),))


@pytest.fixture
def line(tmp_path):
    return timeline.build(check_of(tmp_path), tmp_path)


def test_an_urb_is_a_span_on_the_lane_of_its_endpoint(line):
    lanes = dict(line.lanes)
    assert list(lanes) == ["calls", "usb 1.2 control", "usb 1.2 interrupt in 1", "kernel log", "console"]
    half = 500  # usbmon's stamps are cut to microseconds
    assert [(item.start, item.end, item.label, item.bad) for item in lanes["usb 1.2 interrupt in 1"]] == [
        (1 * MS, 2 * MS + half, "00 01 02 00", False), (3 * MS + half, 4 * MS + half, "EPIPE", True),
        (7 * MS + half, 9 * MS, "under way", False)]
    [request] = lanes["usb 1.2 control"]
    assert request.label == "GET_DESCRIPTOR 00 00 00 00 00 00 00 00 00 00 00 00 …"
    assert "completed: ok, 18 B, 1 ms after its submission" in request.tip


def test_what_failed_on_the_bus_is_marked_when_it_failed(line):
    assert line.marks == (4 * MS + 500,)


def test_each_lane_has_its_clock_and_how_far_it_may_be_off(line):
    clocks = dict(zip((name for name, _ in line.lanes), map(str, line.clocks), strict=True))
    assert clocks == {"calls": "±0", "usb 1.2 control": "±2.9 µs", "usb 1.2 interrupt in 1": "±2.9 µs",
                      "kernel log": "±27 µs", "console": "±650 µs"}
    assert "gettimeofday" in line.clocks[1].name and "sched_clock" in line.clocks[3].name


def test_a_clock_that_nobody_measured_says_so(tmp_path):
    check = dataclasses.replace(check_of(tmp_path), kmsg_error_ns=None)
    assert str(timeline.build(check, tmp_path).clocks[3]) == "±?"
    assert str(Clock("c", 1_234_567)) == "±1.2 ms"


def test_dropped_packets_and_captures_that_are_missing_are_said(tmp_path):
    assert timeline.build(check_of(tmp_path, lost=3), tmp_path).notes == (
        "usbmon dropped 3 packets of bus 1 during mouse.watch: "
        "what its lanes do not show may have happened all the same",)
    assert timeline.build(check_of(tmp_path, file=None, missing="usbmon of bus 1: No such device"), tmp_path).notes == (
        "the USB bus was not recorded during mouse.watch: usbmon of bus 1: No such device",)
    (tmp_path / "wire" / "usb.pcap").write_bytes(b"no pcap")
    [note] = timeline.build(dataclasses.replace(check_of(tmp_path), calls=(dataclasses.replace(
        check_of(tmp_path).calls[0], captures=(CaptureRecord("usb", "usbmon", "wire/none.pcap"),)),)), tmp_path).notes
    assert note.startswith("what usbmon recorded during mouse.watch cannot be read: ")


def test_the_page_shows_the_bus_its_clock_and_the_mark_and_zooms_to_it(opened, recorded, tmp_path):
    record = recorded(check_of(tmp_path))
    UsbCapture(PACKETS).save(record.folder / "wire" / "usb.pcap")
    page = opened(record)
    assert page.seen == []
    figure = page.locator(".zoomable").first
    names = figure.locator("text.name").evaluate_all("texts => texts.map((t) => t.firstChild.data)")
    errors = figure.locator("text.error").evaluate_all("texts => texts.map((t) => t.firstChild.data)")
    assert dict(zip(names, errors, strict=True))["usb 1.2 interrupt in 1"] == "±2.9 µs"
    said = figure.locator(".clocks").inner_text()
    assert "usb 1.2 control, usb 1.2 interrupt in 1 ±2.9 µs: usbmon's, gettimeofday" in said
    bad = figure.locator("g.it.usb.bad")
    assert (bad.count(), bad.locator("text").text_content()) == (1, "EPIPE")
    before = bad.locator("rect").bounding_box()["width"]
    page.click("[data-do=mark]")
    page.click("[data-do=in]")
    begin, end = map(int, figure.get_attribute("data-window").split(","))
    assert begin < 4 * MS + 500 < end < 9 * MS
    assert bad.locator("rect").bounding_box()["width"] > 1.5 * before
    x = float(figure.locator("line.mark").get_attribute("x1"))
    assert 216 < x < 1240
    assert report.render(record).count("class=\"it usb") == 4
