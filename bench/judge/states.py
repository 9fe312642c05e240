"""More verbs: absence within intervals, conservation, and conditions on fields and payloads."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bench.judge.matching import Line, rank_in_key
from bench.judge.result import Result, Violation, names_of, no_events, weigh
from bench.judge.view import Events, Places, View
from drivers.contract import Verb

OPEN, CLOSE, MARK = 0, 1, 2


def _state(sequence: Line) -> Places:
    """The place of the last open or close of the same key before each event, -1 when there was none."""
    place = np.where(sequence.role != MARK, np.arange(sequence.role.size), -1)
    starts = np.flatnonzero(sequence.first)
    floor = np.repeat(starts, np.diff(np.append(starts, sequence.role.size))) if starts.size else starts
    last = np.maximum.accumulate(place) if place.size else place
    return np.where(last >= floor, last, -1)


def _next_boundary(sequence: Line) -> NDArray[np.int8]:
    """The role of the next open or close of the same key after each event, -1 when there is none."""
    size = sequence.role.size
    place = np.where(sequence.role != MARK, np.arange(size), size)
    ahead = np.minimum.accumulate(place[::-1])[::-1] if size else place
    ends = np.flatnonzero(sequence.last)
    limit = np.repeat(ends, np.diff(np.append(-1, ends))) if ends.size else ends
    within_key = ahead <= limit
    roles = sequence.role[np.minimum(ahead, size - 1)] if size else sequence.role
    return np.where(within_key, roles, -1).astype(np.int8)


def absent_between(verb: Verb, view: View) -> Result:
    """No mark while the last of open and close was an open."""
    mark, opens, closes = (view.events(role) for role in verb.roles)
    if not len(opens):
        return Result(None, no_events(opens))
    sequence = view.line(verb, opens, closes, mark)
    marks = np.flatnonzero(sequence.role == MARK)
    state = _state(sequence)[marks]
    inside = state >= 0
    inside[inside] = sequence.role[state[inside]] == OPEN
    wrong, since = marks[inside], state[inside]
    names = names_of((mark, opens, closes))
    violation = Violation(f"{names[0]} between {names[1]} and {names[2]}", sequence.ts[since], sequence.ts[wrong],
                  ((opens, sequence.index[since]), (mark, sequence.index[wrong])))
    cut = int((_next_boundary(sequence)[marks[state < 0]] == CLOSE).sum())
    edge = f"{cut} × {names[0]} before a {names[2]} whose {names[1]} came before the recording began" if cut else ""
    return weigh(view, [violation], [edge], f"{len(opens)} × {names[1]}, {len(mark)} × {names[0]}")


def until(verb: Verb, view: View) -> Result:
    """No mark from each `since`, or the recording's start, until the release; and the release occurs."""
    mark, release = view.events(verb.roles[0]), view.events(verb.roles[1])
    names = names_of((mark, release))
    if len(verb.roles) == 2:
        return _until_first(verb, view, mark, release)
    since = view.events(verb.roles[2])
    if not len(since):
        return Result(None, no_events(since))
    sequence = view.line(verb, since, release, mark)
    marks = np.flatnonzero(sequence.role == MARK)
    state = _state(sequence)[marks]
    inside = state >= 0
    inside[inside] = sequence.role[state[inside]] == OPEN
    wrong, start = marks[inside], state[inside]
    violation = Violation(f"{names[0]} before {names[1]}", sequence.ts[start], sequence.ts[wrong],
                  ((since, sequence.index[start]), (mark, sequence.index[wrong])))
    waits = _waiting(sequence)
    edge = f"{waits} × no {names[1]} before the recording ended" if waits else ""
    return weigh(view, [violation], [edge], f"{len(since)} × {since.role.name}, {len(release)} × {names[1]}")


def _waiting(sequence: Line) -> int:
    """Keys whose last open or close is an open."""
    boundary = _state(sequence)[np.flatnonzero(sequence.last)]
    return int((sequence.role[boundary[boundary >= 0]] == OPEN).sum())


def _until_first(verb: Verb, view: View, mark: Events, release: Events) -> Result:
    names = names_of((mark, release))
    if not len(mark) and not len(release):
        return Result(None, no_events(mark, release))
    sequence = view.line(verb, release, mark)
    starts = np.flatnonzero(sequence.first)
    released = np.cumsum(sequence.role == 0)
    earlier = released[starts] - (sequence.role[starts] == 0)
    before = released - np.repeat(earlier, np.diff(np.append(starts, sequence.role.size)))
    wrong = np.flatnonzero((sequence.role == 1) & (before == 0))
    violation = Violation(f"{names[0]} before {names[1]}", np.full(wrong.size, view.began), sequence.ts[wrong],
                  ((mark, sequence.index[wrong]),))
    edge = "" if len(release) else f"no {names[1]} before the recording ended"
    return weigh(view, [violation], [edge], f"{len(release)} × {names[1]}, {len(mark)} × {names[0]}")


def conserve(verb: Verb, view: View) -> Result:
    """What is taken is given back by the end, and no more."""
    take, give = view.events(verb.roles[0]), view.events(verb.roles[1])
    if not len(take) and not len(give):
        return Result(None, no_events(take, give))
    sequence = view.line(verb, take, give)
    amounts = [np.ones(len(events), np.int64) if verb["amount"] is None else
               view.column(events, verb["amount"]).astype(np.int64) for events in (take, give)]
    signed = np.where(sequence.role == 0, 1, -1)
    for number in (0, 1):
        places = sequence.role == number
        signed[places] *= amounts[number][sequence.index[places]]
    names = names_of((take, give))
    starts, sizes = _groups(sequence)
    taken = np.cumsum(sequence.role == 0)
    begun = taken - np.repeat(taken[starts] - (sequence.role[starts] == 0), sizes) > 0  # a take of the key came before
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
    violations = [Violation(f"{names[0]} not given back ({held} left)", sequence.ts[opened[left]],
                            np.full(left.size, view.ended), ((take, _last_take(sequence)[left]),) if len(take) else ())]
    edges = [f"{early} × {names[1]} whose {names[0]} may have come before the recording began" if early else ""]
    if over.size and not closed:  # what was taken before may be what is given
        edges.append(f"{names[1]} of {-int(balance.min())} more than was taken while recording")
    for number, events in enumerate((take, give)):
        places = over[(sequence.role[over] == number) & closed]
        violations.append(Violation(f"{names[1]} of more than was taken", np.full(places.size, view.began),
                                    sequence.ts[places], ((events, sequence.index[places]),)))
    return weigh(view, violations, edges, f"{len(take)} × {names[0]}, {len(give)} × {names[1]}")


def _groups(sequence: Line) -> tuple[Places, Places]:
    starts = np.flatnonzero(sequence.first)
    return starts, np.diff(np.append(starts, sequence.first.size))


def _last_take(sequence: Line) -> Places:
    """For each event the index of the latest take up to it."""
    place = np.maximum.accumulate(np.where(sequence.role == 0, np.arange(sequence.role.size), 0))
    return sequence.index[place]


def payload(verb: Verb, view: View) -> Result:
    """The n-th payload of one role is the n-th of another, or of a list."""
    events = view.events(verb.roles[0])
    if len(verb.roles) == 1:
        return _expected(verb, view, events)
    other = view.events(verb.roles[1])
    if not len(events) and not len(other):
        return Result(None, no_events(events, other))
    sequence = view.line(verb, events, other)
    places = [rank_in_key(sequence, number) for number in (0, 1)]
    width = max(sequence.role.size, 1)
    names = [sequence.key[place] * width + rank for place, rank in places]
    _, first, second = np.intersect1d(names[0], names[1], assume_unique=True, return_indices=True)
    here, there = places[0][0][first], places[1][0][second]
    data = view.payloads(events, verb["field"]), view.payloads(other, verb["field"])
    differ = np.array([data[0][a] != data[1][b] for a, b in
                       zip(sequence.index[here].tolist(), sequence.index[there].tolist(), strict=True)], np.bool_)
    here, there = here[differ], there[differ]
    whole = view.whole(here.size)  # a loss before shifts the numbering
    shown = ((events, sequence.index[here]), (other, sequence.index[there]))
    violation = Violation(f"{verb['field']} differs", *whole, shown)
    alone = len(events) + len(other) - 2 * first.size
    edge = f"{alone} × an event has no counterpart to compare with" if alone else ""
    return weigh(view, [violation], [edge], f"{first.size} payloads compared")


def _expected(verb: Verb, view: View, events: Events) -> Result:
    expected = [verb["expected"]] if isinstance(verb["expected"], bytes) else list(verb["expected"])
    if not len(events) and not expected:
        return Result(None, no_events(events))
    data = view.payloads(events, verb["field"])
    compared = enumerate(zip(data, expected, strict=False))
    wrong = np.array([i for i, (got, want) in compared if got != bytes(want)], np.intp)
    violations = [Violation(f"{verb['field']} is not what was expected", *view.whole(wrong.size), ((events, wrong),))]
    if len(data) != len(expected):
        shown = ((events, np.array([len(data) - 1])),) if data else ()
        violations.append(Violation(f"{len(data)} events, {len(expected)} expected", *view.whole(1), shown,
                            hides=len(data) < len(expected)))
    return weigh(view, violations, [], f"{len(expected)} payloads compared")


def every(verb: Verb, view: View) -> Result:
    """Each event meets the conditions."""
    events = view.events(verb.roles[0])
    return _all_hold(view, events, view.holds(events, verb["conditions"]), "is otherwise")


def all_equal(verb: Verb, view: View) -> Result:
    """The fields of each event are equal."""
    events = view.events(verb.roles[0])
    columns = [view.column(events, name) for name in verb["fields"]]
    same = np.ones(len(events), np.bool_)
    for column in columns[1:]:
        same &= columns[0] == column
    return _all_hold(view, events, same, "differ")


def _all_hold(view: View, events: Events, holds: NDArray[np.bool_], text: str) -> Result:
    if not len(events):
        return Result(None, no_events(events))
    wrong = np.flatnonzero(~holds)
    at = events.ts[wrong]
    violation = Violation(f"{events.role.name} {text}", at, at, ((events, wrong),), hides=False)
    return weigh(view, [violation], [], f"{len(events)} events")


STATES: dict[str, Callable[[Verb, View], Result]] = {
    "absent_between": absent_between, "until": until, "conserve": conserve, "payload": payload, "every": every,
    "all_equal": all_equal}
