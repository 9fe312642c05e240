"""More verbs: what must not happen meanwhile, what must be given back, what the events must hold."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bench.judge.matching import Line, rank_in_key
from bench.judge.result import Break, Finding, names_of, no_events, weigh
from bench.judge.view import Events, Places, Sight
from drivers.contract import Verb

OPEN, CLOSE, MARK = 0, 1, 2


def _state(both: Line) -> Places:
    """The place of the last open or close of the same key before each event, -1 when there was none."""
    place = np.where(both.role != MARK, np.arange(both.role.size), -1)
    starts = np.flatnonzero(both.first)
    floor = np.repeat(starts, np.diff(np.append(starts, both.role.size))) if starts.size else starts
    last = np.maximum.accumulate(place) if place.size else place
    return np.where(last >= floor, last, -1)


def _next_boundary(both: Line) -> NDArray[np.int8]:
    """The role of the next open or close of the same key after each event, -1 when there is none."""
    size = both.role.size
    place = np.where(both.role != MARK, np.arange(size), size)
    ahead = np.minimum.accumulate(place[::-1])[::-1] if size else place
    ends = np.flatnonzero(both.last)
    limit = np.repeat(ends, np.diff(np.append(-1, ends))) if ends.size else ends
    found = ahead <= limit
    return np.where(found, both.role[np.minimum(ahead, size - 1)] if size else both.role, -1).astype(np.int8)


def absent_between(verb: Verb, sight: Sight) -> Finding:
    """No mark while the last of open and close was an open."""
    mark, opens, closes = (sight.events(role) for role in verb.roles)
    if not len(opens):
        return Finding(None, no_events(opens))
    both = sight.line(verb, opens, closes, mark)
    marks = np.flatnonzero(both.role == MARK)
    state = _state(both)[marks]
    inside = state >= 0
    inside[inside] = both.role[state[inside]] == OPEN
    wrong, since = marks[inside], state[inside]
    names = names_of((mark, opens, closes))
    found = Break(f"{names[0]} between {names[1]} and {names[2]}", both.ts[since], both.ts[wrong],
                  ((opens, both.index[since]), (mark, both.index[wrong])))
    cut = int((_next_boundary(both)[marks[state < 0]] == CLOSE).sum())
    edge = f"{cut} × {names[0]} before a {names[2]} whose {names[1]} came before the recording began" if cut else ""
    return weigh(sight, [found], [edge], f"{len(opens)} × {names[1]}, {len(mark)} × {names[0]}")


def until(verb: Verb, sight: Sight) -> Finding:
    """No mark after each since, or the recording's begin, before the release; and the release comes."""
    mark, release = sight.events(verb.roles[0]), sight.events(verb.roles[1])
    names = names_of((mark, release))
    if len(verb.roles) == 2:
        return _until_first(verb, sight, mark, release)
    since = sight.events(verb.roles[2])
    if not len(since):
        return Finding(None, no_events(since))
    both = sight.line(verb, since, release, mark)
    marks = np.flatnonzero(both.role == MARK)
    state = _state(both)[marks]
    inside = state >= 0
    inside[inside] = both.role[state[inside]] == OPEN
    wrong, start = marks[inside], state[inside]
    found = Break(f"{names[0]} before {names[1]}", both.ts[start], both.ts[wrong],
                  ((since, both.index[start]), (mark, both.index[wrong])))
    waits = _waiting(both)
    edge = f"{waits} × no {names[1]} before the recording ended" if waits else ""
    return weigh(sight, [found], [edge], f"{len(since)} × {since.role.name}, {len(release)} × {names[1]}")


def _waiting(both: Line) -> int:
    """Keys whose last open or close is an open."""
    boundary = _state(both)[np.flatnonzero(both.last)]
    return int((both.role[boundary[boundary >= 0]] == OPEN).sum())


def _until_first(verb: Verb, sight: Sight, mark: Events, release: Events) -> Finding:
    names = names_of((mark, release))
    if not len(mark) and not len(release):
        return Finding(None, no_events(mark, release))
    both = sight.line(verb, release, mark)
    starts = np.flatnonzero(both.first)
    released = np.cumsum(both.role == 0)
    earlier = released[starts] - (both.role[starts] == 0)
    before = released - np.repeat(earlier, np.diff(np.append(starts, both.role.size)))
    wrong = np.flatnonzero((both.role == 1) & (before == 0))
    found = Break(f"{names[0]} before {names[1]}", np.full(wrong.size, sight.began), both.ts[wrong],
                  ((mark, both.index[wrong]),))
    edge = "" if len(release) else f"no {names[1]} before the recording ended"
    return weigh(sight, [found], [edge], f"{len(release)} × {names[1]}, {len(mark)} × {names[0]}")


def conserve(verb: Verb, sight: Sight) -> Finding:
    """What is taken is given back by the end, and no more."""
    take, give = sight.events(verb.roles[0]), sight.events(verb.roles[1])
    if not len(take) and not len(give):
        return Finding(None, no_events(take, give))
    both = sight.line(verb, take, give)
    amounts = [np.ones(len(events), np.int64) if verb["amount"] is None else
               sight.column(events, verb["amount"]).astype(np.int64) for events in (take, give)]
    signed = np.where(both.role == 0, 1, -1)
    for number in (0, 1):
        mine = both.role == number
        signed[mine] *= amounts[number][both.index[mine]]
    names = names_of((take, give))
    starts, sizes = _groups(both)
    taken = np.cumsum(both.role == 0)
    begun = taken - np.repeat(taken[starts] - (both.role[starts] == 0), sizes) > 0  # a take of the key came before
    closed = verb["edges"] == "closed"
    early = 0 if closed else int((~begun).sum())
    signed[~begun] *= closed
    total = np.cumsum(signed)
    balance = total - np.repeat(total[starts] - signed[starts], sizes)
    over = np.flatnonzero(balance < 0)
    ends = starts + sizes - 1
    left = ends[balance[ends] > 0]
    opened = np.repeat(starts, sizes)
    held = balance[left].sum()
    breaks = [Break(f"{names[0]} not given back ({held} left)", both.ts[opened[left]], np.full(left.size, sight.ended),
                    ((take, _last_take(both)[left]),) if len(take) else ())]
    edges = [f"{early} × {names[1]} whose {names[0]} may have come before the recording began" if early else ""]
    if over.size and not closed:  # what was taken before may be what is given
        edges.append(f"{names[1]} of {-int(balance.min())} more than was taken while recording")
    for number, events in enumerate((take, give)):
        mine = over[(both.role[over] == number) & closed]
        breaks.append(Break(f"{names[1]} of more than was taken", np.full(mine.size, sight.began), both.ts[mine],
                            ((events, both.index[mine]),)))
    return weigh(sight, breaks, edges, f"{len(take)} × {names[0]}, {len(give)} × {names[1]}")


def _groups(both: Line) -> tuple[Places, Places]:
    starts = np.flatnonzero(both.first)
    return starts, np.diff(np.append(starts, both.first.size))


def _last_take(both: Line) -> Places:
    """For each event the index of the latest take up to it."""
    place = np.maximum.accumulate(np.where(both.role == 0, np.arange(both.role.size), 0))
    return both.index[place]


def payload(verb: Verb, sight: Sight) -> Finding:
    """The n-th payload of one role is the n-th of another, or of a list."""
    one = sight.events(verb.roles[0])
    if len(verb.roles) == 1:
        return _expected(verb, sight, one)
    other = sight.events(verb.roles[1])
    if not len(one) and not len(other):
        return Finding(None, no_events(one, other))
    both = sight.line(verb, one, other)
    places = [rank_in_key(both, number) for number in (0, 1)]
    width = max(both.role.size, 1)
    names = [both.key[place] * width + rank for place, rank in places]
    _, first, second = np.intersect1d(names[0], names[1], assume_unique=True, return_indices=True)
    here, there = places[0][0][first], places[1][0][second]
    data = sight.payloads(one, verb["field"]), sight.payloads(other, verb["field"])
    differ = np.array([data[0][a] != data[1][b] for a, b in
                       zip(both.index[here].tolist(), both.index[there].tolist(), strict=True)], np.bool_)
    here, there = here[differ], there[differ]
    whole = sight.whole(here.size)  # a loss before shifts the numbering
    found = Break(f"{verb['field']} differs", *whole, ((one, both.index[here]), (other, both.index[there])))
    alone = len(one) + len(other) - 2 * first.size
    edge = f"{alone} × an event has no counterpart to compare with" if alone else ""
    return weigh(sight, [found], [edge], f"{first.size} payloads compared")


def _expected(verb: Verb, sight: Sight, one: Events) -> Finding:
    expected = [verb["expected"]] if isinstance(verb["expected"], bytes) else list(verb["expected"])
    if not len(one) and not expected:
        return Finding(None, no_events(one))
    data = sight.payloads(one, verb["field"])
    both = enumerate(zip(data, expected, strict=False))
    wrong = np.array([i for i, (got, want) in both if got != bytes(want)], np.intp)
    breaks = [Break(f"{verb['field']} is not what was expected", *sight.whole(wrong.size), ((one, wrong),))]
    if len(data) != len(expected):
        shown = ((one, np.array([len(data) - 1])),) if data else ()
        breaks.append(Break(f"{len(data)} events, {len(expected)} expected", *sight.whole(1), shown,
                            hides=len(data) < len(expected)))
    return weigh(sight, breaks, [], f"{len(expected)} payloads compared")


def every(verb: Verb, sight: Sight) -> Finding:
    """Each event meets the conditions."""
    events = sight.events(verb.roles[0])
    return _all_hold(sight, events, sight.holds(events, verb["conditions"]), "is otherwise")


def all_equal(verb: Verb, sight: Sight) -> Finding:
    """Fields of each event are the same."""
    events = sight.events(verb.roles[0])
    columns = [sight.column(events, name) for name in verb["fields"]]
    same = np.ones(len(events), np.bool_)
    for column in columns[1:]:
        same &= columns[0] == column
    return _all_hold(sight, events, same, "differ")


def _all_hold(sight: Sight, events: Events, holds: NDArray[np.bool_], text: str) -> Finding:
    if not len(events):
        return Finding(None, no_events(events))
    wrong = np.flatnonzero(~holds)
    found = Break(f"{events.role.name} {text}", events.ts[wrong], events.ts[wrong], ((events, wrong),), hides=False)
    return weigh(sight, [found], [], f"{len(events)} events")


CLAIMS: dict[str, Callable[[Verb, Sight], Finding]] = {
    "absent_between": absent_between, "until": until, "conserve": conserve, "payload": payload, "every": every,
    "all_equal": all_equal}
