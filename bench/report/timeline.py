"""One time line of a check: calls, kernel events per CPU, interrupts, USB, wire, kernel log, console, on one clock.

Times of the target go through the clock offset of the call they belong to (see bench.store.model). Events are read
from the records' trace.dat; where that cannot be had, the verdicts' witnesses stand in and a note says so.
"""
from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import RecordError
from bench.health import head_of
from bench.report.lanes import Clock, Filling, Item, Lanes, host
from bench.report.usb_lanes import usb_lanes
from bench.store import CallRecord, CheckRecord
from bench.trace import Trace
from bench.trace.text import field_text, hex_text, seconds_text, value_text
from bench.verdict import Outcome, Witness

CAPTURE_LANES = {"usbmon": usb_lanes}  # by the format of bench.capture
QUIET, MOST_FOLDS = 2, 200  # a gap is quiet when it is so many times the median gap; how many are folded
MOST_MARKS = 16
OWN = "its own, aligned with the trace by edges that kernel events caused; a delay common to all of them remains"
MOST_ITEMS = 400  # on each other lane
MOST_EVENTS = 1200  # kernel events that are drawn; a browser moves that many without a stutter

Load = Callable[[Path], Trace]  # Trace.load, or None: the verdicts' witnesses stand in


@dataclass(frozen=True)
class Timeline:
    """Lanes from top to bottom, the marked moments, and the window to be shown first (ns from the check's start).

    `folds` are points (time, place) between which place is linear in time: quiet time takes less place than its share,
    so that a break of 20 µs and the 5 s of waiting after it can be seen on one line.
    """

    lanes: Lanes
    marks: tuple[int, ...]
    window: tuple[int, int]
    span: tuple[int, int]
    folds: tuple[tuple[int, int], ...]
    clocks: tuple[Clock, ...] = ()  # one a lane
    notes: tuple[str, ...] = ()

    def place(self, time: int) -> float:
        """Return where on the folded line a time lies."""
        at = max(1, min(bisect.bisect_right(self.folds, (time, 1 << 63)), len(self.folds) - 1))
        (t0, u0), (t1, u1) = self.folds[at - 1], self.folds[at]
        return u0 + (u1 - u0) * (time - t0) / max(t1 - t0, 1)


def build(check: CheckRecord, folder: Path, load: Load | None = Trace.load) -> Timeline | None:
    """Lay `check` out on one clock; None when it has only calls.

    `folder` is its record's, `load` reads a trace.dat.
    """
    lanes, notes = Filling(), list[str]()
    zero = check.started_ns
    error = max((call.clock_error_ns for call in check.calls), default=None)
    wires = Clock("the host's CLOCK_MONOTONIC, measured against the target's with every frame between them; on the "
                  "twin, posted writes reach the chip model asynchronously, so its time stamps lag the driver's",
                  error)
    log = Clock("sched_clock, as in the kernel log, measured against CLOCK_MONOTONIC before and after the check",
                check.kmsg_error_ns)
    lines = Clock("the host's, when the line had arrived, which includes the delay of the serial line", error)
    for call in check.calls:
        lanes.add("calls", _call(call, zero))
    marks = sorted({host(w.ts, call, zero) for call in check.calls for w in _offenders(call)})
    for call in check.calls:
        notes += _kernel(lanes, call, zero, folder, load, marks)
        for capture in call.captures:
            if draw := CAPTURE_LANES.get(capture.format):
                notes += draw(lanes, call, capture, zero, folder)
    for wire in check.wire:
        arrow = {"out": "→", "in": "←"}.get(wire.direction, "")
        tip = f"{wire.source} {arrow} {wire.what}" + (f"\n{hex_text(wire.data, 48)}" if wire.data else "")
        item = Item(wire.ts_ns - zero, None, f"{arrow} {wire.what}".strip(), tip, "wire")
        clock = wires if wire.error_ns is None else Clock(OWN, wire.error_ns)
        lanes.add(f"wire: {wire.source}", item, clock)
    for ns, level, text in check.kmsg:
        bad = level <= 2 or head_of(text) is not None
        moment = host(ns, nearest(check, ns), zero)
        lanes.add("kernel log", Item(moment, None, text, f"<{level}> {text}", "log", bad), log)
    for ns, text in check.console:
        lanes.add("console", Item(ns - zero, None, text, text, "console", head_of(text) == "crash"), lines)
    if not any(lane != "calls" for lane in lanes.items):
        return None
    # Without a contract's word it is what the lanes themselves show as bad: a failed URB, a crash in the log.
    broken = [item for items in lanes.items.values() for item in items if item.bad]
    marks = marks or sorted(item.end if item.end is not None else item.start for item in broken)[:MOST_MARKS]
    notes += _thinned(lanes, marks)
    names = sorted(lanes.items, key=_rank)
    ordered = tuple((name, tuple(sorted(lanes.items[name], key=lambda item: item.start))) for name in names)
    span = _span(check, ordered)
    folds = _folds(ordered, span)
    window = _window(ordered, marks, span)
    return Timeline(ordered, tuple(marks), window, span, folds, tuple(lanes.clocks[name] for name in names),
                    tuple(dict.fromkeys(notes)))


def _thinned(lanes: Filling, marks: list[int]) -> Iterator[str]:
    """Take the items that are farthest from the break out of lanes that have too many, and say so."""
    def far(item: Item) -> tuple[bool, int]:
        return not item.bad, min((abs(item.start - mark) for mark in marks), default=item.start)

    which = "those nearest the failure" if marks else "the first ones"
    for name, items in lanes.items.items():
        if len(items) > MOST_ITEMS and not name.startswith("cpu"):
            yield f"{MOST_ITEMS} of {len(items)} on the lane “{name}” are drawn, {which}"
            items[:] = sorted(items, key=far)[:MOST_ITEMS]


def _rank(lane: str) -> tuple[int, str]:
    order = ("calls", "cpu", "irq", "usb", "wire", "kernel log", "console")
    return next(i for i, start in enumerate(order) if lane.startswith(start)), lane


def _call(call: CallRecord, zero: int) -> Item:
    arguments = ", ".join(f"{name}={value_text(value, 60)}" for name, value in call.arguments.items())
    result = f"raised {call.error.type}: {call.error.text}" if call.error else f"gave {value_text(call.value, 120)}"
    took = seconds_text((call.ended_ns - call.started_ns) / 1e9)
    tip = f"{call.call}({arguments})\n{result}\ntook {took}"
    return Item(call.started_ns - zero, call.ended_ns - zero, call.call, tip, "call", call.error is not None)


def _offenders(call: CallRecord) -> Iterator[Witness]:
    for verdict in call.verdicts:
        if verdict.outcome is Outcome.FAIL:
            yield from verdict.witnesses


def nearest(check: CheckRecord, ts: int) -> CallRecord | None:
    """The call that began nearest to a time of the target."""
    return min(check.calls, key=lambda call: abs(ts - call.clock_offset_ns - call.started_ns), default=None)


def _kernel(lanes: Filling, call: CallRecord, zero: int, folder: Path, load: Load | None,
            marks: list[int]) -> list[str]:
    notes = [f"{call.lost} events of {call.call} were lost: ring buffer overrun"] if call.lost else []
    offenders = {(w.ts, w.cpu, _bare(w.event)) for w in _offenders(call)}
    events: list[Witness] | None = None
    if call.trace and load:
        try:
            trace = load(folder / call.trace)
            events = _events(trace, [mark + zero + call.clock_offset_ns for mark in marks])
            if len(events) < len(trace):
                notes.append(f"{len(events)} of the {len(trace)} kernel events of {call.call} are drawn, "
                             f"{'those nearest the failure' if marks else 'the first ones'}")
        except (RecordError, OSError) as error:
            notes.append(f"the trace of {call.call} could not be read, only the witness events are drawn: {error}")
    if events is None:
        seen = {(w.ts, w.cpu, w.event): w for verdict in call.verdicts for w in verdict.witnesses}
        events = sorted(seen.values(), key=lambda w: w.ts)
    running: dict[tuple[int, Any], Witness] = {}  # interrupt handlers that have begun, by CPU and number
    for event in events:
        bad = (event.ts, event.cpu, _bare(event.event)) in offenders
        start = host(event.ts, call, zero)
        if _bare(event.event) == "irq_handler_entry" and not bad:
            running[event.cpu, event.fields.get("irq")] = event
        elif _bare(event.event) == "irq_handler_exit" and not bad:
            begun = running.pop((event.cpu, event.fields.get("irq")), None)
            if begun is not None:
                _interrupt(lanes, begun, host(begun.ts, call, zero), start)
        else:
            lanes.add(f"cpu {event.cpu}", Item(start, None, _bare(event.event), _tip(event), _kind(event.event), bad))
    for begun in running.values():  # an entry without its exit: the handler never came back, or the recording ended
        start = host(begun.ts, call, zero)
        _interrupt(lanes, begun, start, max(start, call.ended_ns - zero))
    return notes


def _bare(event: str) -> str:
    return event.rpartition(":")[2]


def _events(trace: Trace, at: list[int]) -> list[Witness]:
    """Every event by time or, of a trace with too many, those nearest the times `at` (the first ones without any)."""
    rows = trace.order()
    if rows.size > MOST_EVENTS:
        ts = trace.index.ts[rows].astype(np.int64)
        far = np.min(np.abs(ts[:, None] - np.array(at or [0], np.int64)[:16]), axis=1)
        rows = rows[np.sort(np.argpartition(far, MOST_EVENTS)[:MOST_EVENTS])]
    return [trace.witness_of_row(row) for row in rows.tolist()]


def _interrupt(lanes: Filling, entry: Witness, start: int, end: int) -> None:
    number, name = entry.fields.get("irq", "?"), entry.fields.get("name", "")
    lane = f"irq {number} {name}".strip()
    tip = f"interrupt {number} {name} on cpu {entry.cpu}\ntook {seconds_text((end - start) / 1e9)}"
    lanes.add(lane, Item(start, end, seconds_text((end - start) / 1e9), tip, "irq"))


def _tip(event: Witness) -> str:
    fields = "\n".join(f"{name} = {field_text(value, name, 80)}" for name, value in event.fields.items())
    return f"{event.event}  cpu {event.cpu}  pid {event.pid}\n{fields}".rstrip()


def _kind(name: str) -> str:
    name = _bare(name)
    if name.startswith(("irq_", "softirq_", "tasklet_", "ipi_")):
        return "irq"
    return "sched" if name.startswith(("sched_", "workqueue_", "timer_", "hrtimer_")) else "event"


def _span(check: CheckRecord, lanes: Lanes) -> tuple[int, int]:
    first = min(min(item.start for item in items) for _, items in lanes)
    last = max(max(item.end or item.start for item in items) for _, items in lanes)
    first, last = min(0, first), max(int(check.seconds * 1e9), last)
    margin = max((last - first) // 1000, 1000)
    return first - margin, last + margin


def _folds(lanes: Lanes, span: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """Shorten each gap that is longer than QUIET usual ones to a length that grows only with its logarithm."""
    times = {time for _, items in lanes for item in items for time in (item.start, item.end) if time is not None}
    points = sorted(times | set(span))
    gaps = [later - earlier for earlier, later in itertools.pairwise(points)]
    quiet = QUIET * sorted(gaps)[len(gaps) // 2]
    least = max(quiet, sorted(gaps)[-min(MOST_FOLDS, len(gaps))] - 1)
    folds, place = [(points[0], 0)], 0.0
    for earlier, later in itertools.pairwise(points):
        gap = later - earlier
        if gap > least:
            if folds[-1][0] != earlier:
                folds.append((earlier, int(place)))
            place += quiet * (1 + math.log(gap / quiet))
            folds.append((later, int(place)))
        else:
            place += gap
    if folds[-1][0] != points[-1]:
        folds.append((points[-1], int(place)))
    return tuple(folds)


def _window(lanes: Lanes, marks: list[int], span: tuple[int, int]) -> tuple[int, int]:
    if not marks:
        return span
    # As many moments before and after the break as make it understood: a tenth of them, at least forty.
    times = sorted(item.start for _, items in lanes for item in items)
    around = max(40, len(times) // 10)
    first, last = bisect.bisect_left(times, marks[0]), bisect.bisect_right(times, marks[-1])
    begin = times[first - around] if first > around else span[0]
    return begin, times[last + around] if last + around < len(times) else span[1]
