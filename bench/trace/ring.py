"""Walk ring-buffer pages: where each event lies, its time and its id.

All pages of a block advance together, one record a step ("lockstep"), so that each step is a handful of array
operations; time stamps follow from one running sum over the headers. A few pages are walked one by one instead.
Ref: include/linux/ring_buffer.h (enum ring_buffer_type), kernel/trace/ring_buffer.c
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import RecordError
from bench.trace.format import Layout

PADDING, TIME_EXTEND, TIME_STAMP = 29, 30, 31
TIME_SHIFT = 27
TIME_MASK = (1 << TIME_SHIFT) - 1
STAMP_MSB = 0xF8 << 56
COMMIT_LENGTH = 0x3FFFFFFF
MISSED_EVENTS, MISSED_STORED = 1 << 31, 1 << 30

# Pages walked together: enough for numpy, few enough that they stay in the processor's cache.
BLOCK_BYTES = 8 << 20
# Below this many pages a plain loop is faster than the lockstep.
FEW_PAGES = 24
# Words from a record's header to the next one, by type_len; 0 where array[0] decides.
_ADVANCE: NDArray[np.intp] = np.array([0, *range(2, 30), 0, 2, 2], dtype=np.intp)

Words = NDArray[np.uint32]
Places = NDArray[np.intp]
Stamps = NDArray[np.uint64]


@dataclass(frozen=True)
class Gap:
    """Events were lost on `cpu` between two times (ns; None: before the first event); `count` is None when unknown."""

    cpu: int
    after: int | None
    before: int | None
    count: int | None


@dataclass(frozen=True)
class Block:
    """The data events of some pages, in order: time [ns], id, place of the data and its length [32-bit words]."""

    ts: NDArray[np.uint64]
    ids: NDArray[np.uint16]
    place: NDArray[np.uint32]
    length: NDArray[np.uint32]


class BadPage(Exception):
    """A page breaks the format: word index in the block, and why."""

    def __init__(self, word: int, reason: str) -> None:
        super().__init__(reason)
        self.word = word


def walk(pages: Any, layout: Layout, cpu: int, where: str, offset: int = 0) -> Iterator[tuple[Block, list[Gap]]]:
    """Walk the raw sub-buffers of one CPU, block by block.

    `where` and `offset` (of the first page in that file) are for messages. Raises RecordError naming them and why.
    """
    raw = np.frombuffer(pages, dtype=np.uint8)
    if raw.size % layout.subbuf_size:
        whole = raw.size - raw.size % layout.subbuf_size
        raise RecordError(f"{where}: offset {offset + whole}: cpu {cpu}: the last sub-buffer has "
                          f"{raw.size - whole} of {layout.subbuf_size} bytes")
    if raw.size >= 1 << 34:
        raise RecordError(f"{where}: cpu {cpu}: {raw.size} bytes of pages, at most 16 GiB a CPU can be read")
    step = max(BLOCK_BYTES // layout.subbuf_size, 1) * layout.subbuf_size
    last: int | None = None
    for start in range(0, raw.size, step):
        part = raw[start:start + step].view(f"{layout.order}u4")
        words = part if part.dtype.isnative else part.astype(np.uint32)
        try:
            block, gaps = _block(words, layout, cpu, last, start // 4)
        except BadPage as bad:
            raise RecordError(f"{where}: offset {offset + start + 4 * bad.word}: cpu {cpu}: {bad}") from bad
        last = int(block.ts[-1]) if block.ts.size else last
        yield block, gaps


def _block(words: Words, layout: Layout, cpu: int, last: int | None, base: int) -> tuple[Block, list[Gap]]:
    size = layout.subbuf_size // 4
    count = words.size // size
    first = np.arange(count, dtype=np.intp) * size + layout.data_offset // 4
    head = words.reshape(count, size)[:, :4].astype(np.uint64)
    low, high = (1, 0) if layout.big_endian else (0, 1)
    stamps = head[:, low] | head[:, high] << np.uint64(32)
    commits = head[:, 3] if layout.big_endian and layout.commit_size == 8 else head[:, 2]
    if layout.commit_size == 8:
        wrong = np.flatnonzero(head[:, 2 if layout.big_endian else 3])
        if wrong.size:
            raise BadPage(int(wrong[0]) * size + 2, "the page's commit word has bits set above bit 31")
    lengths = (commits & np.uint64(COMMIT_LENGTH)).astype(np.intp)
    wrong = np.flatnonzero((lengths > layout.subbuf_size - layout.data_offset) | (lengths % 4 != 0))
    if wrong.size:
        raise BadPage(int(wrong[0]) * size + 2, f"the page claims {lengths[wrong[0]]} bytes of events, it can hold "
                                                f"{layout.subbuf_size - layout.data_offset}, in whole words")
    ends = first + lengths // 4
    if count < FEW_PAGES:
        marks = np.fromiter(_loop(words, first, ends, layout.big_endian), dtype=np.intp)
    else:
        marks = _lockstep(words, first, ends, layout.big_endian)
    block = _events(words, marks, first, stamps, layout.big_endian)
    gaps = _gaps(words, commits, ends, stamps, block, layout, cpu, last)
    return Block(block.ts, block.ids, block.place + np.uint32(base), block.length), gaps


def _lockstep(words: Words, first: Places, ends: Places, big: bool) -> Places:
    """Places of all record headers, ascending."""
    marks = np.zeros(words.size, dtype=np.bool_)
    live = first < ends
    at, end = first[live], ends[live]
    while at.size:
        head = words.take(at)
        kind = head >> np.uint32(27) if big else head & np.uint32(31)
        marks[at] = True
        advance = _ADVANCE.take(kind)
        if not advance.all():
            odd = np.flatnonzero(advance == 0)
            advance[odd] = _odd(words, at[odd], end[odd], kind[odd], head[odd], big)
        at = at + advance
        live = at < end
        if not live.all():
            over = np.flatnonzero(at > end)
            if over.size:
                raise BadPage(int(at[over[0]] - advance[over[0]]), "a record reaches past the end of its page's events")
            at, end = at[live], end[live]
    return np.flatnonzero(marks)


def _odd(words: Words, at: Places, end: Places, kind: Words, head: Words, big: bool) -> Places:
    """Words to the next header for records whose length is in array[0]: long data, and padding."""
    delta = head & np.uint32(TIME_MASK) if big else head >> np.uint32(5)
    rest = (kind == PADDING) & (delta == 0)  # nothing more on this page
    short = np.flatnonzero(~rest & (at + 1 >= end))
    if short.size:
        raise BadPage(int(at[short[0]]), "a record's length word is past the end of its page's events")
    size = words.take(np.minimum(at + 1, words.size - 1)).astype(np.intp)
    wrong = np.flatnonzero(~rest & ((size < np.where(kind == PADDING, 0, 8)) | (size > 4 * (end - at - 1))))
    if wrong.size:
        raise BadPage(int(at[wrong[0]]), f"a record claims {size[wrong[0]]} bytes, "
                                         f"{4 * (end - at - 1)[wrong[0]]} are left on its page")
    return np.where(rest, end - at, 1 + (size + 3) // 4)


def _loop(words: Words, first: Places, ends: Places, big: bool) -> Iterator[int]:
    """The same as `_lockstep` for few pages: plain integers, page after page."""
    for start, stop in zip(first.tolist(), ends.tolist(), strict=True):
        page = words[start:stop].tolist()
        at, end = 0, stop - start
        while at < end:
            head = page[at]
            kind, delta = (head >> 27, head & TIME_MASK) if big else (head & 31, head >> 5)
            yield start + at
            if 0 < kind < PADDING:
                step = kind + 1
            elif kind > PADDING:
                step = 2
            elif kind == PADDING and delta == 0:
                break
            elif at + 1 >= end:
                raise BadPage(start + at, "a record's length word is past the end of its page's events")
            else:
                size = page[at + 1]
                left = 4 * (end - at - 1)
                if size < (0 if kind else 8) or size > left:
                    raise BadPage(start + at, f"a record claims {size} bytes, {left} are left on its page")
                step = 1 + (size + 3) // 4
            if at + step > end:
                raise BadPage(start + at, "a record reaches past the end of its page's events")
            at += step


def _events(words: Words, at: Places, first: Places, stamps: NDArray[np.uint64], big: bool) -> Block:
    """Times, ids and places of the data events among the records that start at the words `at`."""
    head = words.take(at)
    kind = (head >> np.uint32(27) if big else head & np.uint32(31)).astype(np.uint8)
    time = (head & np.uint32(TIME_MASK) if big else head >> np.uint32(5)).astype(np.uint64)
    longer = np.flatnonzero(kind >= TIME_EXTEND)
    time[longer] += words.take(at[longer] + 1).astype(np.uint64) << np.uint64(TIME_SHIFT)
    ts = _times(time, np.searchsorted(at, first), stamps, longer[kind[longer] == TIME_STAMP])
    if longer.size or kind.max(initial=0) >= PADDING:
        data = kind < PADDING
        at, kind, ts = at[data], kind[data], ts[data]
    place, length = at + 1, kind.astype(np.uint32)
    long = np.flatnonzero(kind == 0)
    length[long] = (words.take(place[long]) - np.uint32(1)) >> np.uint32(2)  # less its own word, rounded up to words
    place[long] += 1
    common = words.take(place)
    ids = (common >> np.uint32(16) if big else common).astype(np.uint16)
    return Block(ts, ids, place.astype(np.uint32), length)


def _times(time: Stamps, starts: Places, stamps: Stamps, absolute: Places) -> Stamps:
    """Running time: each page starts from its own stamp, each absolute stamp starts anew."""
    if not time.size:
        return time
    total = np.cumsum(time, dtype=np.uint64)
    pages = np.flatnonzero(np.diff(np.append(starts, time.size)) > 0)  # pages without a record have no start
    starts, stamps = starts[pages], stamps[pages]
    base = stamps - (total[starts] - time[starts])
    if absolute.size:
        page_of = np.searchsorted(starts, absolute, side="right") - 1
        value = time[absolute] | (stamps[page_of] & np.uint64(STAMP_MSB))
        starts, base = np.concatenate([starts, absolute]), np.concatenate([base, value - total[absolute]])
        order = np.argsort(starts, kind="stable")  # a page that begins with a stamp: the stamp comes second and wins
        starts, base = starts[order], base[order]
    running: Stamps = total + np.repeat(base, np.diff(np.append(starts, time.size)))
    return running


def _gaps(words: Words, commits: NDArray[np.uint64], ends: Places, stamps: NDArray[np.uint64], block: Block,
          layout: Layout, cpu: int, last: int | None) -> list[Gap]:
    """Where pages say that events before them were lost."""
    gaps = []
    size = layout.subbuf_size // 4
    for page in np.flatnonzero(commits & np.uint64(MISSED_EVENTS)).tolist():
        before = int(np.searchsorted(block.place, page * size))
        count = None
        tail = int(ends[page])
        if int(commits[page]) & MISSED_STORED and tail + layout.commit_size // 4 <= (page + 1) * size:
            stored = words[tail:tail + layout.commit_size // 4].tolist()
            count = sum(word << 32 * i for i, word in enumerate(reversed(stored) if layout.big_endian else stored))
        earlier = int(block.ts[before - 1]) if before else last
        later = int(block.ts[before]) if before < block.ts.size else None
        gaps.append(Gap(cpu, earlier, later, count))
    return gaps
