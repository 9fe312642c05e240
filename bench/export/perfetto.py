"""Write a trace for Perfetto's viewer: a track per CPU, and one for each call, device or wire that is given.

Perfetto's protobuf, written by hand: a dozen fields of five messages.
Ref: protos/perfetto/trace/{trace,trace_packet}.proto and, in track_event/ there, {track_event,track_descriptor,
debug_annotation}.proto
"""
from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.judge.matching import line, match_one
from bench.trace.trace import Trace

SEQUENCE = 1  # one writer: this one
SLICE_BEGIN, SLICE_END, INSTANT = 1, 2, 3
# Events that mark both ends of something on a CPU, by the end of their names.
ENDS = (("_entry", "_exit"),)


@dataclass(frozen=True)
class Slice:
    """An interval on a track: from `start` to `end` [ns, the trace's clock], or a point when `end` is None.

    `group` gathers tracks, such as "calls", "devices" or "wires".
    """

    group: str
    track: str
    name: str
    start: int
    end: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


def write(trace: Trace, path: str | os.PathLike[str], more: Iterable[Slice] = ()) -> int:
    """Write the trace's events, the intervals they mark on each CPU, and `more`; returns the number of packets."""
    return write_slices(path, itertools.chain(more, slices(trace)))


def write_slices(path: str | os.PathLike[str], every: Iterable[Slice]) -> int:
    """Write slices on any tracks; returns the number of packets."""
    tracks: dict[tuple[str, str], int] = {}
    count = 0
    aside = Path(f"{os.fspath(path)}.part")
    with aside.open("wb") as file:
        for piece in every:
            for packet in _packets(piece, tracks):
                file.write(_field(1, packet))
                count += 1
    aside.replace(path)
    return count


def slices(trace: Trace, shift_ns: int = 0) -> Iterator[Slice]:
    """The trace's events on the tracks of their CPUs, and the intervals they mark; times are shifted."""
    for piece in itertools.chain(_spans(trace), _events(trace)):
        yield replace(piece, start=piece.start + shift_ns, end=None if piece.end is None else piece.end + shift_ns)


def _events(trace: Trace) -> Iterator[Slice]:
    for witness in trace.merged():
        name = witness.event.partition(":")[2]
        fields = {"common_pid": witness.pid, "process": trace.comm(witness.pid), **witness.fields}
        yield Slice("kernel events", f"cpu {witness.cpu}", name, witness.ts, None, fields)


def _spans(trace: Trace) -> Iterator[Slice]:
    """Intervals such as interrupts: an `…_entry` up to the next `…_exit` on the same CPU."""
    for begin, finish in ENDS:
        for event in trace.events:
            other = event.removesuffix(begin) + finish
            if not event.endswith(begin) or other not in trace.events:
                continue
            first, last = trace[event], trace[other]
            sequence = line([first["ts"].astype("i8"), last["ts"].astype("i8")], [first["row"], last["row"]],
                        [[first["cpu"], last["cpu"]]])
            match = match_one(sequence)
            name = event.partition(":")[2].removesuffix(begin)
            for opened, closed in zip(match.opens.tolist(), match.closes.tolist(), strict=True):
                witness = trace.witness(event, int(sequence.index[opened]))
                yield Slice(name, f"cpu {witness.cpu}", name, witness.ts, int(sequence.ts[closed]), witness.fields)


def _packets(piece: Slice, tracks: dict[tuple[str, str], int]) -> Iterator[bytes]:
    for place, parent in (((piece.group, ""), 0), ((piece.group, piece.track), tracks.get((piece.group, ""), 0))):
        if place not in tracks:
            tracks[place] = len(tracks) + 1
            parent = parent or tracks.get((piece.group, ""), 0)
            yield _descriptor(tracks[place], place[1] or place[0], parent if place[1] else 0)
    track = tracks[piece.group, piece.track]
    yield _event(piece.start, track, INSTANT if piece.end is None else SLICE_BEGIN, piece.name, piece.fields)
    if piece.end is not None:
        yield _event(piece.end, track, SLICE_END, "", {})


def _descriptor(uuid: int, name: str, parent: int) -> bytes:
    body = _number(1, uuid) + _field(2, name.encode()) + (_number(5, parent) if parent else b"")
    return _number(10, SEQUENCE) + _field(60, body)


def _event(ts: int, track: int, kind: int, name: str, fields: Mapping[str, Any]) -> bytes:
    body = _number(9, kind) + _number(11, track)
    if name:
        body += _field(23, name.encode())
    for key, value in fields.items():
        body += _field(4, _field(10, str(key).encode()) + _annotation(value))
    return _number(8, ts) + _number(10, SEQUENCE) + _field(11, body)


def _annotation(value: Any) -> bytes:
    """A field's value: integers as such, everything else as text; bytes in hexadecimal."""
    if isinstance(value, int):
        return _number(4, value) if value < 0 else _number(3, value)
    return _field(6, (value.hex(" ") if isinstance(value, bytes) else str(value)).encode("utf-8", "backslashreplace"))


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers are 64-bit two's complement
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data
