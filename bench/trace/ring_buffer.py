"""Walk ring-buffer pages: where each event lies, its time and its id.

All pages of a block advance together, one record a step ("lockstep"), so that each step is a handful of array
operations; time stamps follow from one running sum over the headers. A few pages are walked one by one instead.
Ref: include/linux/ring_buffer.h (enum ring_buffer_type), kernel/trace/ring_buffer.c
"""
from __future__ import annotations

import mmap
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.errors import RecordError
from bench.trace.format import Layout
from bench.trace.page_pool import PagePool

PADDING, TIME_EXTEND, TIME_STAMP = 29, 30, 31
TIME_SHIFT = 27
TIME_MASK = (1 << TIME_SHIFT) - 1
STAMP_MSB = 0xF8 << 56
COMMIT_LENGTH = 0x3FFFFFFF
MISSED_EVENTS, MISSED_STORED = 1 << 31, 1 << 30

# Pages walked together: enough for numpy, few enough that they stay in the processor's cache.
BLOCK_BYTES = 6 << 20
# Words between pages while they are walked: at a power of two apart all would share the same few lines of the cache.
SPACE = 16
# Below this many pages a plain loop is faster than the lockstep.
FEW_PAGES = 24
# One thread walks while its caller groups the results: with two they would mostly wait for each other.
WALKERS = 1
THREADS = 2  # that gather
# Words from a record's header to the next one, by type_len; 0 where array[0] decides.
_ADVANCE: NDArray[np.intp] = np.array([0, *range(2, 30), 0, 2, 2], dtype=np.intp)

Words = NDArray[np.uint32]
Places = NDArray[np.intp]
Stamps = NDArray[np.uint64]
T = TypeVar("T")


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


def walk(pool: PagePool, number: int, layout: Layout, cpu: int,
         where: Callable[[int], str]) -> Iterator[tuple[Block, list[Gap]]]:
    """Walk the raw sub-buffers of one CPU, the pool's `number`, block by block; places are words of the pool.

    `where` names the file and place of a byte of these pages, for messages. Raises RecordError naming it and why.
    """
    raw, base = pool.pages(number), pool.bases[number]
    if raw.size % layout.subbuf_size:
        whole = raw.size - raw.size % layout.subbuf_size
        raise RecordError(f"{where(whole)}: the last sub-buffer has "
                          f"{raw.size - whole} of {layout.subbuf_size} bytes")
    size = layout.subbuf_size // 4
    pages = raw.view(f"{layout.order}u4").reshape(-1, size)
    step = max(BLOCK_BYTES // layout.subbuf_size, 1)

    scratch: list[Words] = []  # memory that is new costs as much as walking it

    def one(start: int) -> tuple[Block, list[Gap]]:
        part = pages[start:start + step]
        whole = scratch.pop() if scratch else _scratch(min(step, pages.shape[0]), size + SPACE)
        spaced = whole[:part.shape[0]]
        with pool.near([(base + 4 * start * size, base + 4 * (start + step) * size)]):
            spaced[:, :size] = part  # to native byte order, too
        try:
            return _block(spaced, layout, cpu, base // 4 + start * size)
        except BadPage as bad:
            at = 4 * (start * size + bad.word - bad.word // (size + SPACE) * SPACE)
            raise RecordError(f"{where(at)}: {bad}") from bad
        finally:
            scratch.append(whole)

    last: int | None = None
    for block, gaps in _ahead(one, range(0, pages.shape[0], step)):
        yield block, [replace(gap, after=last) if gap.after is None else gap for gap in gaps]
        last = int(block.ts[-1]) if block.ts.size else last


def _scratch(count: int, size: int) -> Words:
    """Zeros, from the system and back to it: the allocator would keep them in each thread."""
    return np.frombuffer(mmap.mmap(-1, 4 * count * size), np.uint32).reshape(count, size)


def _ahead(work: Callable[[int], T], starts: Sequence[int]) -> Iterator[T]:
    """`map(one, starts)` by a thread, a little ahead of its caller: numpy lets others run while it works."""
    if len(starts) < 2:
        yield from map(work, starts)
        return
    with ThreadPoolExecutor(WALKERS) as threads:
        waiting: deque[Future[T]] = deque()
        for start in starts:
            waiting.append(threads.submit(work, start))
            if len(waiting) > WALKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _block(pages: Words, layout: Layout, cpu: int, base: int) -> tuple[Block, list[Gap]]:
    """Walk some pages, which lie from word `base` on."""
    count, stride = pages.shape
    words = pages.reshape(-1)
    first = np.arange(count, dtype=np.intp) * stride + layout.data_offset // 4
    head = pages[:, :4].astype(np.uint64)
    low, high = (1, 0) if layout.big_endian else (0, 1)
    stamps = head[:, low] | head[:, high] << np.uint64(32)
    commits = head[:, 3] if layout.big_endian and layout.commit_size == 8 else head[:, 2]
    if layout.commit_size == 8:
        wrong = np.flatnonzero(head[:, 2 if layout.big_endian else 3])
        if wrong.size:
            raise BadPage(int(wrong[0]) * stride + 2, "the page's commit word has bits set above bit 31")
    lengths = (commits & np.uint64(COMMIT_LENGTH)).astype(np.intp)
    room = layout.subbuf_size - layout.data_offset
    wrong = np.flatnonzero((lengths > room) | (lengths % 4 != 0))
    if wrong.size:
        raise BadPage(int(wrong[0]) * stride + 2, f"the page claims {lengths[wrong[0]]} bytes of events, it can hold "
                                                  f"{room}, in whole words")
    ends = first + lengths // 4
    if count < FEW_PAGES:
        marks = np.fromiter(_loop(words, first, ends, layout.big_endian), dtype=np.intp)
    else:
        marks = _lockstep(words, first, ends, layout.big_endian)
    starts = np.searchsorted(marks, first)
    block = _events(words, marks, starts, stamps, layout.big_endian)
    page = np.searchsorted(block.place, first.astype(np.uint32))  # the events of each page begin here
    gaps = _gaps(pages, commits, lengths, page, block, layout, cpu)
    shift = (base - np.arange(count) * SPACE).astype(np.uint32)  # may wrap, as the sum does
    place = block.place + np.repeat(shift, np.diff(np.append(page, block.place.size)))
    return Block(block.ts, block.ids, place, block.length), gaps


def _lockstep(words: Words, first: Places, ends: Places, big: bool) -> Places:
    """Places of all record headers, ascending."""
    headers: list[Words] = []
    who = np.flatnonzero(first < ends)
    at, end = first.take(who), ends.take(who)
    while at.size:
        row = at.astype(np.uint32)
        if at.size < first.size:  # some pages are through
            row = np.zeros(first.size, np.uint32)
            row[who] = at
        headers.append(row)
        head = words.take(at)
        advance = _ADVANCE.take(head >> np.uint32(27) if big else head & np.uint32(31))
        odd = np.flatnonzero(advance == 0)
        if odd.size:
            advance[odd] = _odd(words, at.take(odd), end.take(odd), head.take(odd), big)
        advance += at
        live = advance < end
        if not live.all():
            over = np.flatnonzero(advance > end)
            if over.size:
                raise BadPage(int(at[over[0]]), "a record reaches past the end of its page's events")
            advance, end, who = advance[live], end[live], who[live]
        at = advance
    every = np.array(headers, np.uint32).T.reshape(-1)  # page after page, 0 where a page has fewer records than others
    places: Places = every[every != 0].astype(np.intp)
    return places


def _odd(words: Words, at: Places, end: Places, head: Words, big: bool) -> Places:
    """Words to the next header for records whose length is in array[0]: long data, and padding."""
    size = words.take(at + 1).astype(np.intp)  # there is always a word: pages are spaced
    rest = head == np.uint32(PADDING << TIME_SHIFT if big else PADDING)  # without a delta: nothing more on this page
    if size.min() < 8:
        least = np.where((head >> np.uint32(TIME_SHIFT) if big else head & np.uint32(31)) == PADDING, 4, 8)
        wrong = np.flatnonzero((size < least) & ~rest)
        if wrong.size:
            bad = int(wrong[0])
            raise BadPage(int(at[bad]), f"a record claims {size[bad]} bytes of {4 * int((end - at)[bad]) - 4} left")
    advance: Places = size + 7 >> 2
    if rest.any():
        advance[rest] = (end - at)[rest]
    return advance


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
            else:
                size = page[at + 1] if at + 1 < end else -1
                if size < (4 if kind else 8):
                    raise BadPage(start + at, f"a record claims {size} bytes of {4 * (end - at) - 4} left")
                step = 1 + (size + 3) // 4
            if at + step > end:
                raise BadPage(start + at, "a record reaches past the end of its page's events")
            at += step


def _events(words: Words, at: Places, starts: Places, stamps: Stamps, big: bool) -> Block:
    """Times, ids and places of the data events among the records at the words `at`; a page's begin at `starts`."""
    head = words.take(at)
    kind = (head >> np.uint32(27)).astype(np.uint8) if big else head.astype(np.uint8) & np.uint8(31)
    time = (head & np.uint32(TIME_MASK) if big else head >> np.uint32(5)).astype(np.uint64)
    special = np.flatnonzero(kind >= PADDING)
    longer = special[kind[special] >= TIME_EXTEND]
    time[longer] += words.take(at[longer] + 1).astype(np.uint64) << np.uint64(TIME_SHIFT)
    ts = _times(time, starts, stamps, longer[kind[longer] == TIME_STAMP])
    place, length = at.astype(np.uint32) + np.uint32(1), kind.astype(np.uint32)
    if special.size:
        data = np.flatnonzero(kind < PADDING)
        place, length, ts = place.take(data), length.take(data), ts.take(data)
    long = np.flatnonzero(length == 0)
    length[long] = (words.take(place[long]) - np.uint32(1)) >> np.uint32(2)  # less its own word, rounded up to words
    place[long] += np.uint32(1)
    common = words.take(place)
    ids = (common >> np.uint32(16) if big else common).astype(np.uint16)
    return Block(ts, ids, place, length)


def _times(time: Stamps, starts: Places, stamps: Stamps, absolute: Places) -> Stamps:
    """Running time: each page starts from its own stamp, each absolute stamp restarts it."""
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


def _gaps(pages: Words, commits: Stamps, lengths: Places, starts: Places, block: Block, layout: Layout,
          cpu: int) -> list[Gap]:
    """Where pages say that events before them were lost; how many is stored behind the data when there is room.

    `after` is None where that is in an earlier block.
    """
    gaps = []
    for page in np.flatnonzero(commits & np.uint64(MISSED_EVENTS)).tolist():
        before, count = int(starts[page]), None
        tail = (layout.data_offset + int(lengths[page])) // 4
        if int(commits[page]) & MISSED_STORED and 4 * tail + layout.commit_size <= layout.subbuf_size:
            stored = pages[page, tail:tail + layout.commit_size // 4].tolist()
            count = sum(word << 32 * i for i, word in enumerate(reversed(stored) if layout.big_endian else stored))
        earlier = int(block.ts[before - 1]) if before else None
        later = int(block.ts[before]) if before < block.ts.size else None
        gaps.append(Gap(cpu, earlier, later, count))
    return gaps
