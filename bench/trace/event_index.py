"""The index of a recording and the typed array of each event type, decoded on demand."""
from __future__ import annotations

import functools
import itertools
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.errors import RecordError
from bench.trace import merge
from bench.trace.format import HEAD, EventFormat, Layout
from bench.trace.page_pool import Bytes, PagePool, column, joined
from bench.trace.recording import Recording
from bench.trace.ring_buffer import THREADS, Gap, walk

# Cache of decoded arrays: a quarter of the raw pages, at least and at most this much.
LEAST_CACHE, MOST_CACHE = 32 << 20, 256 << 20
# The least that a data event takes: its header and one word.
LEAST_EVENT = 8
# Records gathered at a time: their source stays in the CPU cache for the other columns.
CHUNK = 1 << 13
# Parts in which an event type is decoded, so that not all pages of a large mapped file are in memory with it.
STAGES = 16
Rows = NDArray[np.uint32]
S = TypeVar("S")
T = TypeVar("T")


def _by_threads(work: Callable[[S], T], parts: Sequence[S]) -> Iterator[T]:
    """`map(work, parts)` by several threads: numpy releases the interpreter's lock in each long operation."""
    if len(parts) < 2 * THREADS:
        yield from map(work, parts)
        return
    with ThreadPoolExecutor(THREADS) as threads:
        yield from threads.map(work, parts)


class EventIndex:
    """The location of every event of a recording, in columns by CPU and place; decodes event types on demand.

    `ts` [ns], `place` (32-bit words from the pool's begin to the event's data), `length` (of the data, words).
    `counts`: events of each id.
    """

    def __init__(self, recording: Recording, layout: Layout, formats: Mapping[int, EventFormat]) -> None:
        self.recording, self.layout, self.formats = recording, layout, formats
        self.gaps: list[Gap] = []
        self.pool = PagePool(recording.pages)
        if self.pool.data.size >= 1 << 34:
            raise RecordError(f"{recording.name}: {self.pool.data.size} bytes of pages, at most 16 GiB can be read")
        self.bounds = [0]
        self.in_order: list[bool] = []  # of each CPU: no event is before the one in front of it
        self._cached: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._cache_bytes = max(LEAST_CACHE, min(sum(self.pool.sizes) // 4, MOST_CACHE))
        self._blocks: list[tuple[int, int]] = []  # rows: of pages that were walked together
        self._index()
        self._check_ids()

    def _index(self) -> None:
        """Fill the columns, and count the events of each type."""
        most = sum(self.pool.sizes) // LEAST_EVENT
        ts, place, ids = column(np.uint64, most), column(np.uint32, most), column(np.uint16, most)
        counts: NDArray[np.int64] = np.zeros(1 << 16, np.int64)
        length = column(np.uint16 if self.layout.subbuf_size <= 1 << 18 else np.uint32, most)
        size = 0
        for number, cpu in enumerate(self.recording.cpus):
            in_order = True
            blocks = walk(self.pool, number, self.layout, cpu, partial(self.recording.where, number))
            for block, gaps in blocks:
                end = size + block.ts.size
                ts[size:end], place[size:end], length[size:end] = block.ts, block.place, block.length
                ids[size:end] = block.ids
                seen = np.bincount(block.ids)
                counts[:seen.size] += seen
                self._blocks.append((size, end))
                in_order = in_order and merge.ordered(ts[max(size - 1, self.bounds[-1]):end])
                size = end
                self.gaps += gaps
            self.bounds.append(size)
            self.in_order.append(in_order)
        self.ts, self.place, self.length, self._ids = ts[:size], place[:size], length[:size], ids[:size]
        self.counts = {number: int(counts[number]) for number in np.flatnonzero(counts).tolist()}

    @functools.cached_property
    def _by_type(self) -> dict[int, list[Rows]]:
        """Rows of each event type, block by block: sorting blocks needs no large memory."""
        grouped = column(np.uint32, self._ids.size)
        by_type: dict[int, list[Rows]] = {number: [] for number in self.counts}

        def sort(block: tuple[int, int]) -> list[tuple[int, Rows]]:
            start, stop = block
            ids, rows = self._ids[start:stop], grouped[start:stop]
            places = np.argsort(ids, kind="stable")
            np.add(places, start, out=rows, casting="unsafe")
            ids = ids.take(places)
            begins = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))[:ids.size].tolist()
            return [(int(ids[begin]), rows[begin:end]) for begin, end in itertools.pairwise([*begins, ids.size])]

        for runs in _by_threads(sort, self._blocks):
            for number, rows in runs:
                by_type[number].append(rows)
        del self._ids  # the grouped rows replace it
        return by_type

    def id_of(self, row: int) -> int:
        """The event id of a row, from the event's own first field."""
        return int.from_bytes(self.data(row)[:2].tobytes(), "big" if self.layout.big_endian else "little")

    def _check_ids(self) -> None:
        unknown = sorted(set(self.counts) - set(self.formats))
        if unknown:
            row = int(self._by_type[unknown[0]][0][0])
            raise RecordError(f"{self.where(row)}: event id {unknown[0]} has no format file among the "
                              f"{len(self.formats)} of the recording ({self.counts[unknown[0]]} such events)")

    def block(self, row: int) -> int:
        """The index of the CPU that recorded an event."""
        return int(np.searchsorted(self.bounds, row, side="right")) - 1

    def where(self, row: int) -> str:
        """`file: offset N: cpu C` of an event, for messages."""
        block = self.block(row)
        return self.recording.where(block, 4 * int(self.place[row]) - self.pool.bases[block])

    def rows(self, number: int) -> Rows:
        """Rows of an event type by time, CPUs merged; equal times stay in the order of CPU and place."""
        return joined(merge.by_time(self.ts, list(self._runs(number))), self.counts.get(number, 0))

    def _runs(self, number: int) -> Iterator[Rows]:
        """Rows of an event type, one run by time for each CPU."""
        pieces = self._by_type.get(number, [])
        firsts = [int(piece[0]) for piece in pieces]
        for (first, last), sorted_ in zip(itertools.pairwise(self.bounds), self.in_order, strict=True):
            blocks = pieces[bisect_left(firsts, first):bisect_left(firsts, last)]
            if blocks:
                run = joined(blocks, sum(piece.size for piece in blocks))
                yield run if sorted_ else run.take(np.argsort(self.ts.take(run), kind="stable"))

    def decode(self, number: int) -> NDArray[Any]:
        """The typed array of an event type."""
        array = self._cached.pop(number, None)
        if array is None:
            fmt = self.formats[number]
            self._make_room(self.counts.get(number, 0) * (HEAD + fmt.size))
            array = self._decode(fmt)
        if array.nbytes <= self._cache_bytes:
            self._cached[number] = array
        return array

    def _make_room(self, size: int) -> None:
        """Drop the least recently used arrays, so that `size` more bytes fit into the cache."""
        while self._cached and size + sum(array.nbytes for array in self._cached.values()) > self._cache_bytes:
            self._cached.popitem(last=False)

    def _decode(self, fmt: EventFormat) -> NDArray[Any]:
        rows = self.rows(fmt.id)
        self._check_lengths(fmt, rows)
        out = column(f"V{HEAD + fmt.size}", rows.size)
        head = out.view(np.dtype({"names": ["ts", "cpu", "row"], "formats": ["=u8", "=u4", "=u4"],
                                  "offsets": [0, 8, 12], "itemsize": HEAD + fmt.size}))
        stage = max(-(-rows.size // STAGES) if self.pool.large else rows.size, 1)
        for start in range(0, rows.size, stage):
            part = slice(start, start + stage)
            with self.pool.near(self._spans(rows[part])):
                self._gather(fmt, rows[part], out[part], head[part])
        return out.view(fmt.dtype(self.layout.order))

    def _check_lengths(self, fmt: EventFormat, rows: Rows) -> None:
        """No event may be shorter than what its format describes: before there is memory for all of them."""
        for start in range(0, rows.size, CHUNK):
            some = rows[start:start + CHUNK]
            short = some[self.length.take(some) < -(-fmt.size // 4)]
            if short.size:
                row = int(short[0])
                raise RecordError(f"{self.where(row)}: an event {fmt.full_name} of {4 * int(self.length[row])} bytes, "
                                  f"its format file describes {fmt.size}")

    def _gather(self, fmt: EventFormat, rows: Rows, out: NDArray[Any], head: NDArray[Any]) -> None:
        windows, cpus = self.pool.windows(out.dtype.itemsize), np.array(self.recording.cpus, np.uint32)

        def chunk(start: int) -> None:
            some = rows[start:start + CHUNK].astype(np.intp)
            # With the HEAD bytes before the data (headers of page and record): they make room for our columns.
            out[start:start + CHUNK] = windows[self.place.take(some).astype(np.intp) - HEAD // 4]
            block = np.zeros(some.size, np.uint16)
            for bound in self.bounds[1:-1]:
                block += some >= bound
            columns = head[start:start + CHUNK]
            columns["ts"], columns["cpu"], columns["row"] = self.ts.take(some), cpus.take(block), some

        for _ in _by_threads(chunk, range(0, rows.size, CHUNK)):
            pass

    def _spans(self, rows: Rows) -> Iterator[tuple[int, int]]:
        """Where in the pool [bytes] the events of some rows lie, for each CPU."""
        for first, last in itertools.pairwise(self.bounds):
            of_cpu = rows[(rows >= first) & (rows < last)]
            if of_cpu.size:
                yield 4 * int(self.place[of_cpu.min()]), 4 * int(self.place[of_cpu.max()]) + self.layout.subbuf_size

    def data(self, row: int) -> Bytes:
        """All bytes of one event, from common_type on."""
        start = 4 * int(self.place[row])
        return self.pool.data[start:start + 4 * int(self.length[row])]

    def time_order(self, start: int | None = None, end: int | None = None) -> Iterator[Rows]:
        """Rows of all events of all CPUs by time, in slices; from `start` [ns] up to before `end`."""
        runs = []
        for (first, last), sorted_ in zip(itertools.pairwise(self.bounds), self.in_order, strict=True):
            run = joined((np.arange(start, min(start + CHUNK, last), dtype=np.uint32)
                          for start in range(first, last, CHUNK)), last - first)
            if not sorted_:
                run = run.take(np.argsort(self.ts[first:last], kind="stable"))
            stamps = self.ts[first:last] if sorted_ else self.ts.take(run)
            low = 0 if start is None else int(np.searchsorted(stamps, np.uint64(max(start, 0))))
            high = run.size if end is None else int(np.searchsorted(stamps, np.uint64(max(end, 0))))
            runs.append(run[low:high])
        return merge.by_time(self.ts, runs)
