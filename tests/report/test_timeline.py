"""The time line: everything of a check on one clock, what broke marked, quiet time folded."""
import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report import timeline
from bench.report.timeline import Item
from bench.store import CallRecord, CheckRecord, WireEvent
from bench.trace import Trace
from bench.verdict import Outcome, Verdict, Witness

US, MS = 1_000, 1_000_000


@pytest.fixture
def line(sample, failing):
    return timeline.build(failing, sample.folder)


def lane(line, name):
    return dict(line.lanes)[name]


def test_lanes_come_from_call_over_kernel_and_wire_to_console(line):
    assert [name for name, _ in line.lanes] == [
        "calls", "cpu 0", "cpu 1", "irq 38 eth0", "wire: cable", "wire: chip", "kernel log", "console"]


def test_events_of_the_target_are_on_the_hosts_clock(line):
    labels = [(item.start, item.label) for item in lane(line, "cpu 0")]
    assert labels[:2] == [(12_100 * US, "net_dev_queue"), (12_121 * US, "dm9000_start_xmit")]
    assert [item.start for item in lane(line, "calls")] == [3_100 * US, 11_400 * US, 5_240 * MS]
    assert lane(line, "kernel log")[1].start == 5_216_450 * US


def test_an_interrupt_is_a_span_on_a_lane_of_its_own(line):
    assert [(item.start, item.end) for item in lane(line, "irq 38 eth0")] == [
        (12_582 * US, 13_002 * US), (14_782 * US, 15_202 * US), (5_219_600 * US, 5_220 * MS)]


def test_what_breaks_the_contract_is_marked(line):
    assert line.marks == (16_221 * US, 5_216_400 * US)
    assert [(item.label, item.start) for name in ("cpu 0", "cpu 1") for item in lane(line, name) if item.bad] == [
        ("dm9000_start_xmit", 16_221 * US), ("net_dev_xmit_timeout", 5_216_400 * US)]
    assert [item.label for item in lane(line, "kernel log") if item.bad] == [
        "dm9000 10000000.ethernet eth0: NETDEV WATCHDOG: CPU: 1: transmit queue 0 timed out 5200 ms"]


def test_without_its_trace_the_witnesses_stand_in_and_that_is_said(failing, tmp_path):
    line = timeline.build(failing, tmp_path)
    assert [item.label for item in lane(line, "cpu 0")] == ["dm9000_start_xmit"]
    assert line.notes[0].startswith("the trace of net.send_frames could not be read, only the witness events are ")


def test_of_a_large_trace_the_events_nearest_the_break_are_drawn(monkeypatch, sample, failing):
    monkeypatch.setattr(timeline, "MOST_EVENTS", 6)
    line = timeline.build(failing, sample.folder)
    drawn = [item.label for name, items in line.lanes if name.startswith("cpu") for item in items]
    assert sorted(drawn) == ["dm9000_start_xmit", "dm9000_timeout", "net_dev_queue", "net_dev_xmit",
                             "net_dev_xmit_timeout", "softirq_entry"]
    assert line.notes == ("6 of the 27 kernel events of net.send_frames are drawn, those nearest the failure",)


def test_lost_events_are_said(failing, sample):
    calls = tuple(dataclasses.replace(call, lost=7) if call.trace else call for call in failing.calls)
    line = timeline.build(dataclasses.replace(failing, calls=calls), sample.folder)
    assert line.notes == ("7 events of net.send_frames were lost: ring buffer overrun",)


def test_a_check_with_nothing_but_calls_has_no_time_line(tmp_path):
    check = CheckRecord("n", "s", "net", Outcome.FAIL, calls=(CallRecord("net.a", started_ns=1, ended_ns=2),))
    assert timeline.build(check, tmp_path) is None


def test_an_interrupt_that_never_ends_reaches_to_the_end_of_its_call(tmp_path):
    entry = Witness(5 * MS, 0, 0, "irq:irq_handler_entry", {"irq": 38, "name": "eth0"})
    call = CallRecord("net.a", started_ns=0, ended_ns=9 * MS, verdicts=(Verdict(Outcome.PASS, "c", "", (entry,)),))
    line = timeline.build(CheckRecord("n", "s", "net", Outcome.FAIL, calls=(call,)), tmp_path)
    assert [(item.start, item.end) for item in lane(line, "irq 38 eth0")] == [(5 * MS, 9 * MS)]


def test_quiet_time_is_folded_and_busy_time_is_not(line):
    def part(begin, end):
        return (line.place(end * US) - line.place(begin * US)) / line.folds[-1][1]
    assert part(16_700, 5_216_000) < 0.2  # 5.2 s in which nothing happens
    assert part(11_400, 17_200) > 0.2  # 5.8 ms with three frames
    assert line.place(12_500 * US) - line.place(12_490 * US) == pytest.approx(10 * US)


@given(st.lists(st.integers(0, 10**13), min_size=1, max_size=60))
def test_folding_keeps_the_order_of_all_times_and_never_stretches(times):
    lanes = (("cpu 0", tuple(Item(time, None, "", "", "event") for time in sorted(times))),)
    span = (min(times) - 1000, max(times) + 1000)
    folds = timeline._folds(lanes, span)
    line = timeline.Timeline(lanes, (), span, span, folds, 0)
    assert (folds[0][0], folds[-1][0]) == span
    for earlier, later in itertools.pairwise(sorted({*times, *span})):
        assert 0 < line.place(later) - line.place(earlier) <= later - earlier + 1


def test_of_many_wire_events_some_are_drawn_and_that_is_said(tmp_path):
    wire = tuple(WireEvent(n * n * 1000, "cable", "out", "frame") for n in range(20_000))
    line = timeline.build(CheckRecord("n", "s", "net", Outcome.FAIL, wire=wire), tmp_path)
    assert len(line.folds) <= 2 * timeline.MOST_FOLDS + 2
    assert line.notes == ("400 of 20000 on the lane “wire: cable” are drawn, the first ones",)


def test_the_sample_trace_is_read_by_the_decoder(sample):
    trace = Trace.load(sample.folder / "traces" / "0001.dat")
    assert (len(trace), trace.lost) == (27, 0)
    assert trace.strings("net_dev_xmit_timeout", "driver").tolist() == ["dm9000"]
