"""The index of a recording and the typed array of each event type, made when asked for."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import RecordError
from bench.trace.format import HEAD, EventFormat, Layout
from bench.trace.recording import Recording
from bench.trace.ring import Gap, walk

# Decoded arrays that are kept for the next question: at least this much, at most a quarter of the raw pages.
LEAST_CACHE = 32 << 20
Rows = NDArray[np.uint32]


class Store:
    """Where every event of a recording lies, grouped by type; decodes a type on demand."""

    def __init__(self, recording: Recording, layout: Layout, formats: Mapping[int, EventFormat]) -> None:
        self.recording, self.layout, self.formats = recording, layout, formats
        self.gaps: list[Gap] = []
        self.raw = [np.frombuffer(blob, dtype=np.uint8) for blob in recording.pages]
        self._cached: OrderedDict[int, tuple[NDArray[Any], Rows]] = OrderedDict()
        self._cache_bytes = max(LEAST_CACHE, sum(blob.size for blob in self.raw) // 4)
        blocks = []
        self.bounds = [0]
        for cpu, blob, offset in self._blobs():
            for block, gaps in walk(blob, layout, cpu, recording.name, offset):
                blocks.append(block)
                self.gaps += gaps
            self.bounds.append(sum(block.ts.size for block in blocks))
        self.ts = _joined([b.ts for b in blocks], np.uint64)
        self.ids = _joined([b.ids for b in blocks], np.uint16)
        self.place = _joined([b.place for b in blocks], np.uint32)
        self.length = _joined([b.length for b in blocks], np.uint32)
        del blocks
        counts = np.bincount(self.ids, minlength=1)
        self.counts = {int(number): int(counts[number]) for number in np.flatnonzero(counts)}
        self._check_ids()
        self._order: Rows = np.argsort(self.ids, kind="stable").astype(np.uint32)
        self._starts = np.concatenate([[0], np.cumsum(counts)])

    def _blobs(self) -> Any:
        offsets = self.recording.offsets or [0] * len(self.raw)
        return zip(self.recording.cpus, self.raw, offsets, strict=True)

    def _check_ids(self) -> None:
        unknown = sorted(set(self.counts) - set(self.formats))
        if unknown:
            row = int(np.flatnonzero(self.ids == unknown[0])[0])
            raise RecordError(f"{self.where(row)}: event id {unknown[0]} has no format file among the "
                              f"{len(self.formats)} of the recording ({self.counts[unknown[0]]} such events)")

    def where(self, row: int) -> str:
        """`file: offset N: cpu C` of an event, for messages."""
        block = int(np.searchsorted(self.bounds, row, side="right")) - 1
        offsets = self.recording.offsets or [0] * len(self.raw)
        return (f"{self.recording.name}: offset {offsets[block] + 4 * int(self.place[row])}: "
                f"cpu {self.recording.cpus[block]}")

    def rows(self, number: int) -> Rows:
        """Index rows of an event type by time, CPUs merged; equal times stay in the order of CPU and place."""
        if number >= self._starts.size - 1:
            return np.empty(0, np.uint32)
        rows = self._order[self._starts[number]:self._starts[number + 1]]
        return rows[self._by_time(rows)] if len(self.raw) > 1 else rows

    def _by_time(self, rows: Rows) -> NDArray[np.intp]:
        return np.argsort(self.ts[rows], kind="stable")

    def decode(self, number: int) -> tuple[NDArray[Any], Rows]:
        """The typed array of an event type and the index row of each of its records."""
        if number in self._cached:
            self._cached.move_to_end(number)
            return self._cached[number]
        made = self._decode(number)
        self._cached[number] = made
        while len(self._cached) > 1 and sum(a.nbytes + r.nbytes for a, r in self._cached.values()) > self._cache_bytes:
            self._cached.popitem(last=False)
        return made

    def _decode(self, number: int) -> tuple[NDArray[Any], Rows]:
        fmt = self.formats[number]
        public = fmt.dtype(self.layout.order)
        rows = self.rows(number)
        if not rows.size:
            return np.empty(0, public), rows
        short = np.flatnonzero(self.length[rows] * np.uint32(4) < fmt.size)
        if short.size:
            row = int(rows[short[0]])
            raise RecordError(f"{self.where(row)}: an event {fmt.full_name} of {4 * int(self.length[row])} bytes, its "
                              f"format file describes {fmt.size}")
        record = np.dtype({"names": ["ts", "cpu", "raw"], "formats": ["=u8", "=u2", f"V{fmt.size}"],
                           "offsets": [0, 8, HEAD], "itemsize": HEAD + fmt.size})
        out = np.zeros(rows.size, record)
        out["ts"] = self.ts[rows]
        for block, blob in enumerate(self.raw):
            mine: Any = slice(None)
            if len(self.raw) > 1:
                mine = np.flatnonzero((rows >= self.bounds[block]) & (rows < self.bounds[block + 1]))
                if not mine.size:
                    continue
            out["cpu"][mine] = self.recording.cpus[block]
            out["raw"][mine] = windows(blob, fmt.size)[self.place[rows[mine]]]
        return out.view(public), rows

    def data(self, row: int) -> NDArray[np.uint8]:
        """All bytes of one event, from common_type on."""
        block = int(np.searchsorted(self.bounds, row, side="right")) - 1
        start = 4 * int(self.place[row])
        return self.raw[block][start:start + 4 * int(self.length[row])]

    def time_order(self) -> Rows:
        """Rows of all events of all CPUs by time."""
        return np.argsort(self.ts, kind="stable").astype(np.uint32)


def windows(blob: NDArray[np.uint8], size: int) -> NDArray[Any]:
    """`size` bytes from each 32-bit word of a blob on, as a view: index it by places to gather records."""
    count = max((blob.size - size) // 4 + 1, 0)
    return np.ndarray((count,), dtype=f"V{size}", buffer=blob, strides=(4,))


def _joined(parts: list[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    joined = np.concatenate(parts) if parts else np.empty(0, dtype)
    parts.clear()
    return joined
