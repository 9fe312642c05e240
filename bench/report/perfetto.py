"""One check for Perfetto's viewer: a track for each call, device, CPU and wire, the kernel log and the console."""
from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bench.export.perfetto import Slice, slices, write_slices
from bench.report.lanes import host
from bench.report.timeline import nearest
from bench.store import CheckRecord
from bench.trace import Trace
from bench.trace.text import value_text
from bench.verdict import Outcome


def write(check: CheckRecord, folder: Path, path: str | os.PathLike[str]) -> int:
    """Write a check of the record in `folder`, times on the host's CLOCK_MONOTONIC; returns the number of packets.

    Raises RecordError when the trace of one of its calls cannot be read.
    """
    return write_slices(path, _slices(check, folder))


def _slices(check: CheckRecord, folder: Path) -> Iterator[Slice]:
    for call in check.calls:
        fields = {name: value_text(value, 200) for name, value in call.arguments.items()}
        fields["result"] = f"{call.error.type}: {call.error.text}" if call.error else value_text(call.value, 200)
        yield Slice("calls", call.call, call.call, call.started_ns, call.ended_ns, fields)
        if call.device:
            yield Slice("devices", call.device, call.call, call.started_ns, call.ended_ns)
    for call in check.calls:
        if call.trace:
            yield from slices(Trace.load(folder / call.trace), -call.clock_offset_ns)
        for verdict in call.verdicts:
            for witness in verdict.witnesses if verdict.outcome is Outcome.FAIL else ():
                track, moment = verdict.claim.partition(": ")[0], witness.ts - call.clock_offset_ns
                fields = {"reason": verdict.reason, **witness.fields}
                yield Slice("contracts", track, witness.event, moment, None, fields)
    for wire in check.wire:
        name = f"{wire.direction} {wire.what}".strip()
        yield Slice("wires", wire.source, name, wire.ts_ns, None, {"data": wire.data})
    for ns, level, text in check.kmsg:
        yield Slice("logs", "kernel log", text, host(ns, nearest(check, ns), 0), None, {"level": level})
    for ns, text in check.console:
        yield Slice("logs", "console", text, ns)
