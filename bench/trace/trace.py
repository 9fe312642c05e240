"""A kernel trace: raw sub-buffer pages seen as one typed numpy array per event type.

    trace = Trace.load("some.dat")
    trace.events                        {"net:net_dev_xmit": 634, …}
    trace["net_dev_xmit"]["len"]        every event of all CPUs, by time
    trace.strings("net_dev_xmit", "name")
"""
from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.errors import RecordError, UsageError
from bench.trace import strings
from bench.trace.dat.read import load
from bench.trace.dat.write import save
from bench.trace.event_index import EventIndex
from bench.trace.event_values import plain
from bench.trace.format import EventFormat, parse_format, parse_header_page, shown_name
from bench.trace.recording import Recording, Stats, losses, parse_cmdlines
from bench.trace.ring_buffer import Gap
from bench.trace.symbols import STACK, Symbols, symbols
from bench.verdict import Witness

T = TypeVar("T")


class Trace:
    """The events of one recording.

    `missing`: event → why it could not be enabled. `lost`: how many events never reached the recorder.
    Raises RecordError for invalid pages or formats.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.missing = dict(recording.missing)
        self.layout = self._read("header_page", lambda: parse_header_page(
            recording.header_page, long_size=recording.long_size, big_endian=recording.big_endian,
            subbuf_size=recording.subbuf_size))
        self.formats = {name: self._read(name, partial(parse_format, given, name))
                        for name, given in recording.formats.items()}
        by_id: dict[int, EventFormat] = {}
        for fmt in self.formats.values():
            if by_id.setdefault(fmt.id, fmt) is not fmt:
                raise RecordError(f"{recording.places.get(fmt.full_name, recording.name)}: formats of "
                                  f"{by_id[fmt.id].full_name} and {fmt.full_name} have the same id {fmt.id}")
        self.index = EventIndex(recording, self.layout, by_id)
        self.events = {by_id[number].full_name: count for number, count in sorted(self.index.counts.items())}
        self._lost_by_stats = losses(recording.stats_before, recording.stats_after)

    def _read(self, what: str, read: Callable[[], T]) -> T:
        """Read one of the recording's texts; an error says where it is."""
        try:
            return read()
        except RecordError as error:
            raise RecordError(f"{self.recording.places.get(what, self.recording.name)}: {error}") from error

    @classmethod
    def from_pages(cls, pages: Sequence[Any], formats: Mapping[str, str], *, header_page: str = "", long_size: int = 8,
                   big_endian: bool = False, subbuf_size: int = 0, stats_before: Sequence[Stats | str] = (),
                   stats_after: Sequence[Stats | str] = (), cmdlines: Mapping[int, str] | str | None = None,
                   missing: Mapping[str, str] | None = None, **more: Any) -> Trace:
        """A trace of raw sub-buffers, one blob per CPU; the arguments are the fields of Recording.

        `cmdlines` may be the text of `saved_cmdlines`.
        """
        names = parse_cmdlines(cmdlines) if isinstance(cmdlines, str) else cmdlines or {}
        return cls(Recording(pages, formats, header_page, long_size=long_size, big_endian=big_endian,
                             subbuf_size=subbuf_size, stats_before=stats_before, stats_after=stats_after,
                             cmdlines=names, missing=missing or {}, **more))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Trace:
        """Read a trace.dat, version 6 or 7 (plain, zlib or zstd); raises RecordError with file, offset and reason."""
        return cls(load(Path(path)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write trace.dat version 6, which trace-cmd and KernelShark read."""
        recording = self.recording
        if recording.kallsyms and not recording.foreign:  # the agent sent all that the kernel has
            recording = dataclasses.replace(recording, kallsyms=self.kernel.needed(self._addresses()))
        save(recording, self.layout, Path(path))

    def __len__(self) -> int:
        return int(self.index.ts.size)

    def __bool__(self) -> bool:
        return True  # a trace without events is still a trace

    def __contains__(self, event: object) -> bool:
        """True when a format file of the event came with the recording, seen or not."""
        try:
            return isinstance(event, str) and self.format(event) is not None
        except UsageError:
            return False

    def format(self, event: str) -> EventFormat:
        """The format of `system:name` or of a `name` that only one system has (one that was seen goes first)."""
        if event in self.formats:
            return self.formats[event]
        names = [full for full, fmt in self.formats.items() if fmt.name == event]
        if len(names) > 1:
            names = [full for full in names if full in self.events] or names
        if len(names) != 1:
            if names:
                raise UsageError(f"event {event!r} is in several systems: {', '.join(sorted(names))}; name one of them")
            raise UsageError.unknown("event", event, self.formats)
        return self.formats[names[0]]

    def __getitem__(self, event: str) -> NDArray[Any]:
        """Every event of a type, by time: ts [ns], cpu, pid, the other common fields, its declared fields, row.

        `row` is the event's number in the recording. A declared field named ts, cpu, pid or row has a `_` after it.
        `__data_loc` and `__rel_loc` columns hold the raw location: read them with `strings` or `payloads`; so the field
        at a record's end, which has no column.
        """
        return self.index.decode(self.format(event).id)

    def strings(self, event: str, field: str, records: NDArray[Any] | None = None) -> NDArray[Any]:
        """A text field of each event of a type, or of some `records` of `trace[event]`, as `str`."""
        return strings.decoded(self.text(event, field, records))

    def text(self, event: str, field: str, records: NDArray[Any] | None = None) -> NDArray[Any]:
        """Like `strings`, as numpy bytes, cut at the first NUL: fast to compare."""
        return strings.text_bytes(*self._field(event, field, records))

    def payloads(self, event: str, field: str, records: NDArray[Any] | None = None) -> list[bytes]:
        """The raw bytes of a field of each event: arrays, dynamic arrays, what follows the fixed part."""
        return strings.payloads(*self._field(event, field, records))

    def _field(self, event: str, field: str, records: NDArray[Any] | None) -> Any:
        fmt = self.format(event)
        declared = fmt.field(field)
        if declared is None:
            raise UsageError.unknown(f"field of {fmt.full_name}", field, [shown_name(f.name) for f in fmt.fields])
        return self.index, fmt, declared, self.index.decode(fmt.id) if records is None else records

    # Functions

    @property
    def kernel(self) -> Symbols:
        """The kernel's functions, as far as the recording knows them."""
        return symbols(self.recording.kallsyms)

    def symbols(self, event: str, field: str, records: NDArray[Any] | None = None) -> NDArray[Any]:
        """An address field of each event of a type, or of some `records`, as the name of the function it lies in."""
        records = self[event] if records is None else records
        if field not in (records.dtype.names or ()):
            raise UsageError.unknown(f"field of {event}", field, records.dtype.names or ())
        return self.kernel.names(records[field])

    def _addresses(self) -> Iterator[NDArray[Any]]:
        """Every field of the events seen that holds a function's address."""
        for event in self.events:
            yield from (self[event][name] for name in self.formats[event].addresses)
        if STACK in self.events:
            size = self.recording.long_size
            whole = b"".join(payload[:len(payload) // size * size] for payload in self.payloads(STACK, "caller"))
            yield np.frombuffer(whole, f"{self.layout.order}u{size}")

    # When, and what is missing

    @property
    def began(self) -> int | None:
        """When recording began [ns]: as recorded, else the first event's time."""
        if self.recording.began_ns is not None or not len(self):
            return self.recording.began_ns
        return int(self.index.ts.min())

    @property
    def ended(self) -> int | None:
        """When recording ended [ns]: as recorded, else the last event's time."""
        if self.recording.ended_ns is not None or not len(self):
            return self.recording.ended_ns
        return int(self.index.ts.max())

    @property
    def lost(self) -> int:
        """Events lost, from the buffers' stats; without them the least number consistent with the pages' flags."""
        return max(sum(self._lost_by_stats), sum(1 if gap.count is None else gap.count for gap in self.index.gaps))

    @property
    def gaps(self) -> list[Gap]:
        """Where in time events are missing; a loss that no page locates may be anywhere on its CPU."""
        located = {gap.cpu for gap in self.index.gaps}
        by_cpu = zip(self.recording.cpus, self._lost_by_stats, strict=False)
        anywhere = [Gap(cpu, None, None, lost) for cpu, lost in by_cpu if lost and cpu not in located]
        return [*self.index.gaps, *anywhere]

    def armed(self, event: str) -> bool:
        """True when the event was enabled, so that its absence means that it did not happen."""
        if self.recording.armed is not None:
            return event in self.recording.armed
        return event in (self.events if self.recording.foreign else self.formats) and event not in self.missing

    # For display

    def comm(self, pid: int) -> str:
        """The process name of a pid, `<...>` when the kernel no longer had it."""
        return "<idle>" if pid == 0 else self.recording.cmdlines.get(pid, "<...>")

    def merged(self, start: int | None = None, end: int | None = None) -> Iterator[Witness]:
        """Every event of all types and CPUs by time, from `start` [ns] up to before `end`; see `order` for arrays."""
        for rows in self.index.time_order(start, end):
            for row in rows.tolist():
                yield self.witness_of_row(row)

    def order(self) -> NDArray[np.uint32]:
        """Rows of the index (ts, place, length; id_of) of all events by time."""
        return np.concatenate([np.empty(0, np.uint32), *self.index.time_order()])

    def witness(self, event: str, index: int) -> Witness:
        """One event of `trace[event]`, with every field as a plain value."""
        fmt = self.format(event)
        return self._witness(fmt, int(self.index.decode(fmt.id)[index]["row"]))

    def witness_of_row(self, row: int) -> Witness:
        """One event by its row in the index."""
        return self._witness(self.index.formats[self.index.id_of(row)], row)

    def _witness(self, fmt: EventFormat, row: int) -> Witness:
        fields = plain(self.index, fmt, row)
        cpu, pid = int(self.recording.cpus[self.index.block(row)]), int(fields.pop("common_pid"))
        own = {name: value for name, value in fields.items() if not name.startswith("common_")}
        return Witness(int(self.index.ts[row]), cpu, pid, fmt.full_name, own)
