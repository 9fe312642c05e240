"""Add a logic analyser's capture to a check of a record: on a rig, what the wires saw.

A capture begins whenever its program got round to it: it is laid on the trace by the edges that kernel events made.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bench.capture.sigrok import Alignment, Capture, align
from bench.errors import RecordError, UsageError
from bench.store import CheckRecord, Record, WireEvent
from bench.trace import Trace

MOST_EDGES = 2000  # kept of one check, the first ones


def find(record: Record, words: str) -> CheckRecord:
    """The one check whose name or sentence has all the words; raises UsageError for none or several."""
    names = [(check, f"{check.name} {check.sentence}".lower()) for check in record.checks]
    found = [check for check, name in names if all(word in name for word in words.lower().split())]
    if len(found) != 1:
        said = ", ".join(check.sentence for check in found[:4]) or "none"
        raise UsageError(f"{words!r} must name one check of {record.folder}, and {len(found)} have it: {said}")
    return found[0]


def added(record: Record, check: CheckRecord, capture: Capture, by: str,
          channels: Iterable[str] = ()) -> tuple[Record, Alignment, int]:
    """The record with the capture's edges in the check's wire, how well they are aligned, and how many were left out.

    `by`: `CHANNEL+=EVENT` or `CHANNEL-=EVENT`, the rising or falling edges that the event made. `channels`: those to be
    added, all when there are none. An earlier capture of the same channels is replaced.
    """
    channel, way, event = parse(by)
    at, rises = capture.edges(channel)
    aligned = align(at[rises == (way == "+")], _times(record, check, event))
    names = tuple(channels) or tuple(filter(None, capture.channels))
    last = check.started_ns + round(check.seconds * 1e9)
    events = sorted((one for name in names for one in _events(capture, name, aligned)), key=lambda one: one.ts_ns)
    within = [one for one in events if check.started_ns <= one.ts_ns <= last]
    sources = {_source(name) for name in names}
    wire = [one for one in check.wire if one.source not in sources] + within[:MOST_EDGES]
    new = dataclasses.replace(check, wire=tuple(sorted(wire, key=lambda one: one.ts_ns)))
    checks = tuple(new if one is check else one for one in record.checks)
    return dataclasses.replace(record, checks=checks), aligned, len(events) - len(within[:MOST_EDGES])


def parse(by: str) -> tuple[str, str, str]:
    """`CS-=spi:spi_message_start` → channel, + or -, event; raises UsageError."""
    edge, _, event = by.partition("=")
    if edge[-1:] not in ("+", "-") or len(edge) < 2 or not event:
        raise UsageError(f"--align {by}: expected CHANNEL+=EVENT or CHANNEL-=EVENT, such as CS-=spi:spi_message_start")
    return edge[:-1], edge[-1], event


def _source(channel: str) -> str:
    return f"{channel} (sigrok)"


def _events(capture: Capture, channel: str, aligned: Alignment) -> Iterable[WireEvent]:
    at, rises = capture.edges(channel)
    for ns, up in zip(at.tolist(), rises.tolist(), strict=True):
        yield WireEvent(ns + aligned.offset_ns, _source(channel), "", "rises" if up else "falls", "", aligned.error_ns)


def _times(record: Record, check: CheckRecord, event: str) -> NDArray[np.int64]:
    """When the event came in the check's traces, on the host's clock."""
    found = [np.empty(0, np.int64)]
    for call in check.calls:
        if call.trace:
            trace = Trace.load(record.folder / call.trace)
            if event in trace:
                found.append(trace[event]["ts"].astype(np.int64) - call.clock_offset_ns)
    if len(found) == 1:
        raise RecordError(f"{record.folder}: no trace of {check.sentence!r} has the event {event}")
    return np.sort(np.concatenate(found))
