"""Array operations under the verbs: put events of several roles in one order, by key, and match them."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.intp]
Times = NDArray[np.int64]


@dataclass(frozen=True)
class Line:
    """Events of several roles by (key, time): which role, which event of that role, its time, first of its key."""

    role: NDArray[np.int8]
    index: Places
    ts: Times
    first: NDArray[np.bool_]

    @property
    def last(self) -> NDArray[np.bool_]:
        """True at the last event of each key."""
        return np.append(self.first[1:], True) if self.first.size else self.first

    @property
    def key(self) -> Places:
        """The number of each event's key, ascending."""
        return np.cumsum(self.first) - 1


def line(ts: Sequence[Times], rows: Sequence[NDArray[np.uint32]], keys: Sequence[Sequence[NDArray[Any]]]) -> Line:
    """Merge the events of several roles into one line.

    `ts` and `rows` of each role are in time order; equal times are ordered by their place in the recording. `keys`:
    for each part of the key, one column per role.
    """
    every = np.concatenate(ts)
    order, when = by_time(every, rows)
    first = np.zeros(every.size, np.bool_)
    first[:1] = True
    if keys and every.size:
        code, bits = codes([np.concatenate(widened(columns)) for columns in keys])
        code = code.astype(np.min_scalar_type((1 << bits) - 1)).take(order)  # narrow: memory is what takes the time
        together = grouped(code, bits)
        # Taken from the time-ordered arrays: the accesses for a key go in one direction, which caches better.
        order, when, code = order.take(together), when.take(together), code.take(together)
        np.not_equal(code[1:], code[:-1], out=first[1:])
    role, index, start = np.zeros(order.size, np.int8), order, 0
    for events in ts[:-1]:
        start += events.size
        later = order >= start
        role += later
        index = index - later * np.intp(events.size)
    return Line(role, index, when, first)


def grouped(code: NDArray[np.unsignedinteger[Any]], bits: int) -> Places:
    """A stable sort order by codes of `bits` bits.

    Sixteen bits at a time, the lowest first: numpy uses a radix sort for those, ten times as fast as comparing 64 bits.
    """
    order = np.argsort(code.astype(np.uint16, copy=False), kind="stable")
    for shift in range(16, bits, 16):
        part = (code >> code.dtype.type(shift)).astype(np.uint16)
        order = order.take(np.argsort(part.take(order), kind="stable"))
    return order


def by_time(ts: Times, rows: Sequence[NDArray[np.uint32]]) -> tuple[Places, Times]:
    """The sort order by time, then by place in the recording, and the sorted times; `rows`: the places of each role."""
    order = np.argsort(ts, kind="stable")
    ordered = ts.take(order)
    same = ordered[1:] == ordered[:-1]
    if same.any():
        tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
        among = order[tied]
        order[tied] = among[np.lexsort((np.concatenate(rows)[among], ts[among]))]
    return order, ordered


def widened(columns: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Columns of one key made comparable: text as bytes; numbers of one type unchanged, others as 64 bits."""
    if any(column.dtype.kind == "S" for column in columns):
        return [column if column.dtype.kind == "S" else column.astype(np.bytes_) for column in columns]
    if len({column.dtype for column in columns}) == 1:
        return list(columns)
    return [column.astype(np.int64).view(np.uint64) if column.dtype.kind == "i" else column.astype(np.uint64)
            for column in columns]


def codes(columns: Sequence[NDArray[Any]]) -> tuple[NDArray[np.unsignedinteger[Any]], int]:
    """One number per row that identifies a key of several parts, and its width in bits."""
    code, bits = _code(columns[0])
    for column in columns[1:]:
        part, width = _code(column)
        if bits + width > 64:
            code, bits = _ranked(code)
            part, width = _ranked(part)
        code, bits = code.astype(np.uint64) << np.uint64(width) | part.astype(np.uint64), bits + width
    return code, bits


def _code(column: NDArray[Any]) -> tuple[NDArray[np.unsignedinteger[Any]], int]:
    if column.dtype.kind not in "iu":
        return _ranked(column)
    unsigned = np.dtype(f"u{column.dtype.itemsize}")
    low = column.view(unsigned) - column.min(keepdims=True).view(unsigned)  # wraps as it should
    used = int(np.bitwise_or.reduce(low))
    aligned = (used & -used).bit_length() - 1 if used else 0  # pointers: their low bits are all zero
    return low >> unsigned.type(aligned), (used >> aligned).bit_length()


def _ranked(column: NDArray[Any]) -> tuple[NDArray[np.uint64], int]:
    """The values replaced by their rank."""
    ranks = np.unique(column, return_inverse=True)[1].reshape(-1).astype(np.uint64)
    return ranks, int(ranks.max(initial=0)).bit_length()


@dataclass(frozen=True)
class Match:
    """How opens (role 0) and closes (role 1) are paired; all are indexes into the line.

    `orphans` closed without an open: `early` says that an open from before the recording explains it, and `blamed`
    which close that one had (with several in progress, first in first out, an earlier one). `unclosed` were never
    closed: `again` says that the next event of their key is another open, at place + 1. `busy`: for each place the
    open since which something of its key was in progress without a pause; None when that is always the open itself.
    """

    opens: Places
    closes: Places
    unclosed: Places
    again: NDArray[np.bool_]
    orphans: Places
    early: NDArray[np.bool_]
    blamed: Places
    busy: Places | None = None

    def since(self, opens: Places) -> Places:
        """Where the evidence about opens begins: a loss from there on can have shifted which close ends which."""
        return opens if self.busy is None else self.busy[opens]


def match_one(events: Line) -> Match:
    """At most one of a key is in progress: an open is closed by the event that follows it, or not at all."""
    opens, last = events.role == 0, events.last
    following = np.append(~opens[1:], False) if opens.size else opens
    hit = opens & ~last & following
    closed = np.append(False, hit[:-1]) if hit.size else hit
    unclosed = np.flatnonzero(opens & ~hit)
    orphans = np.flatnonzero(~opens & ~closed)
    opened = np.flatnonzero(hit)
    return Match(opened, opened + 1, unclosed, ~last[unclosed], orphans, events.first[orphans], orphans)


def match_several(events: Line) -> Match:
    """Many of a key may be in progress: first in, first out."""
    opens, key = events.role == 0, events.key
    if not opens.size:
        nothing, no = np.empty(0, np.intp), np.empty(0, np.bool_)
        return Match(nothing, nothing, nothing, no, nothing, no, nothing)
    starts = np.flatnonzero(events.first)
    depth = np.cumsum(np.where(opens, 1, -1))
    depth = depth - np.append(0, depth[starts[1:] - 1])[key]
    lower = key * (2 * opens.size + 2)  # each key begins below all that went before it
    floor = np.minimum(depth, 0) - lower
    before = np.append(0, np.minimum.accumulate(floor)[:-1])
    orphan = ~opens & (floor < np.where(events.first, -lower, before))
    opened, closed = np.flatnonzero(opens), np.flatnonzero(~opens & ~orphan)
    first_open = np.searchsorted(key[opened], np.arange(starts.size))
    first_close = np.searchsorted(key[closed], np.arange(starts.size))
    rank = np.arange(closed.size) - first_close[key[closed]]
    partner = opened[first_open[key[closed]] + rank]
    left = np.ones(opens.size, np.bool_)
    left[partner] = False
    unclosed = np.flatnonzero(opens & left)
    orphans = np.flatnonzero(orphan)
    every_close = np.flatnonzero(~opens)
    first_of_key = np.searchsorted(key[every_close], np.arange(starts.size))
    first_orphan = np.searchsorted(key[orphans], np.arange(starts.size))
    rank = np.arange(orphans.size) - first_orphan[key[orphans]]
    blamed = every_close[first_of_key[key[orphans]] + rank]
    so_far = np.cumsum(orphan)
    under_way = depth + so_far - np.append(0, so_far[starts[1:] - 1])[key]
    begins = np.where(opens & (under_way == 1), np.arange(opens.size), 0)
    return Match(partner, closed, unclosed, np.zeros(unclosed.size, np.bool_), orphans,
                 np.ones(orphans.size, np.bool_), blamed, np.maximum.accumulate(begins))


def rank_in_key(events: Line, role: int) -> tuple[Places, Places]:
    """The places of a role's events and the rank of each within its key."""
    places = np.flatnonzero(events.role == role)
    key = events.key[places]
    begins = np.flatnonzero(np.append(True, key[1:] != key[:-1])) if places.size else places
    return places, np.arange(places.size) - np.repeat(begins, np.diff(np.append(begins, places.size)))
