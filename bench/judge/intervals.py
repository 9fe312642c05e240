"""The verbs of a contract as array operations: pairs, latencies, order, counts, rates, what must not happen."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.errors import Inconclusive, UsageError
from bench.judge.matching import Line, Match, match_one, match_several
from bench.judge.result import Result, Violation, names_of, no_events, weigh
from bench.judge.view import Events, Places, Times, Unseen, View
from bench.trace.text import duration
from bench.trace.trace import Trace
from drivers.contract import Verb, nanoseconds, per_second


def paired(view: View, verb: Verb) -> tuple[tuple[Events, Events], Line, Match]:
    """Opens and closes of a verb, matched."""
    roles = (view.events(verb.roles[0]), view.events(verb.roles[1]))
    sequence = view.line(verb, *roles)
    return roles, sequence, match_several(sequence) if verb["several"] else match_one(sequence)


def latencies(trace: Trace, claim: Verb) -> Times:
    """The time from open to close [ns] of every pair that a `pair` or `latency` claim matches in a trace.

    Raises UsageError for another verb, Inconclusive when the recording has no source for one of the roles.
    """
    if claim.verb not in ("pair", "latency"):
        raise UsageError(f"latencies are of pair(…) or latency(…), not of {claim.verb}")
    try:
        _, sequence, match = paired(View(trace), claim)
    except Unseen as unseen:
        raise Inconclusive(f"{claim}: {unseen}") from unseen
    return sequence.ts[match.closes] - sequence.ts[match.opens]


def pair(verb: Verb, view: View) -> Result:
    """Each open has a close, and each close an open."""
    roles, sequence, match = paired(view, verb)
    if not len(roles[0]) and not len(roles[1]):
        return Result(None, no_events(*roles))
    within = None if verb["within"] is None else nanoseconds(verb["within"])
    violations, edges = _open_ends(view, roles, sequence, match, within, verb["edges"])
    took = sequence.ts[match.closes] - sequence.ts[match.opens]
    if within is not None:
        late = np.flatnonzero(took > within)
        violations.append(_late(roles, sequence, match, late, f"took longer than {verb['within']}"))
    return weigh(view, violations, edges, figures(took))


def _late(roles: tuple[Events, ...], sequence: Line, match: Match, which: Places, text: str) -> Violation:
    opens, closes = match.opens[which], match.closes[which]
    return Violation(text, sequence.ts[match.since(opens)], sequence.ts[closes],
                 ((roles[0], sequence.index[opens]), (roles[1], sequence.index[closes])))


def _open_ends(view: View, roles: tuple[Events, Events], sequence: Line, match: Match, within: int | None,
               edges: str) -> tuple[list[Violation], list[str]]:
    """Violations by unmatched opens and closes, and what the recording's edges leave inconclusive."""
    names = names_of(roles)
    again = match.unclosed[match.again]
    twice = match.orphans[~match.early]
    violations = [
        Violation(f"{names[0]} again before {names[1]}", sequence.ts[again], sequence.ts[again + 1],
              ((roles[0], sequence.index[again]), (roles[0], sequence.index[again + 1]))),
        Violation(f"{names[1]} without {names[0]} before it", sequence.ts[twice - 1], sequence.ts[twice],
              ((roles[1], sequence.index[twice]),))]
    pending, early = match.unclosed[~match.again], match.orphans[match.early]
    begin, end = sequence.ts[match.blamed[match.early]], sequence.ts[pending]
    if edges == "closed":
        sure_end, sure_begin = np.ones(end.size, np.bool_), np.ones(begin.size, np.bool_)
        upto, since = np.full(end.size, view.ended), np.full(begin.size, view.began)
    else:
        allowed = np.iinfo(np.int64).max // 2 if within is None else within
        sure_end, sure_begin = end <= view.ended - allowed, begin >= view.began + allowed
        upto, since = end + allowed, begin - allowed
    never, from_nowhere = pending[sure_end], early[sure_begin]
    waits, came = sequence.ts[match.since(never)], sequence.ts[from_nowhere]
    violations += [
        Violation(f"{names[0]} without {names[1]}", waits, upto[sure_end], ((roles[0], sequence.index[never]),)),
        Violation(f"{names[1]} without {names[0]}", since[sure_begin], came,
                  ((roles[1], sequence.index[from_nowhere]),))]
    left, cut = int((~sure_end).sum()), int((~sure_begin).sum())
    return violations, [
        f"{left} × {names[0]} still in progress when the recording ended" if left else "",
        f"{cut} × {names[1]} whose {names[0]} may have come before the recording began" if cut else ""]


def figures(took: Times) -> str:
    """Latency statistics in one line."""
    if not took.size:
        return "no pairs"
    values = (took.min(), *percentiles(took, 50, 99), took.max())
    return f"{took.size} pair{'s' if took.size != 1 else ''}: " + ", ".join(
        f"{name} {duration(value)}" for name, value in zip(("min", "median", "p99", "max"), values, strict=True))


def percentile(values: Times, percent: int) -> int:
    """The nearest-rank percentile: the least value that at least `percent` % of all do not exceed."""
    return percentiles(values, percent)[0]


def percentiles(values: Times, *percents: int) -> list[int]:
    """Several percentiles in one pass."""
    ranks = [max(math.ceil(values.size * percent / 100) - 1, 0) for percent in percents]
    return [int(value) for value in np.partition(values, ranks)[ranks]]


def latency(verb: Verb, view: View) -> Result:
    """Limits on the time from open to close."""
    roles, sequence, match = paired(view, verb)
    if not len(roles[0]) and not len(roles[1]):
        return Result(None, no_events(*roles))
    took = sequence.ts[match.closes] - sequence.ts[match.opens]
    limits = {name: nanoseconds(verb[name]) for name in ("min", "median", "p99", "max", "deadline")
              if verb[name] is not None}
    violations = []
    for name in set(limits) & {"max", "deadline"}:
        late = np.flatnonzero(took > limits[name])
        violations.append(_late(roles, sequence, match, late, f"took longer than {verb[name]}"))
    if "min" in limits:
        quick = _late(roles, sequence, match, np.flatnonzero(took < limits["min"]), f"took less than {verb['min']}")
        shifted = view.whole(quick.since.size) if verb["several"] else (quick.since, quick.upto)
        violations.append(Violation(quick.text, *shifted, quick.shown))
    edges: list[str] = []
    if "deadline" in limits:
        more, edges = _open_ends(view, roles, sequence, match, limits["deadline"], "open")
        violations += [more[0], more[2]]  # opens without a close; a close alone violates no deadline
        edges = edges[:1]
    for name, percent in (("median", 50), ("p99", 99)):
        if name in limits and took.size and percentile(took, percent) > limits[name]:
            worst = np.argsort(took)[::-1][:1]
            text = f"{name} {duration(percentile(took, percent))} is above {verb[name]}"
            above = _late(roles, sequence, match, worst, text)
            violations.append(Violation(above.text, *view.whole(1), above.shown))
    if not took.size:
        edges.append("no pair to measure")
    return weigh(view, violations, edges, figures(took))


def order(verb: Verb, view: View) -> Result:
    """Each event is preceded, in its key, by the role before it in the list."""
    roles = tuple(view.events(role) for role in verb.roles)
    if not any(len(events) for events in roles):
        return Result(None, no_events(*roles))
    sequence = view.line(verb, *roles)
    due = np.append(0, (sequence.role[:-1] + 1) % len(roles))
    names = names_of(roles)
    wrong = np.flatnonzero(~sequence.first & (sequence.role != due))
    violations = []
    for number, events in enumerate(roles):
        for before, earlier in enumerate(roles):
            here = wrong[(sequence.role[wrong] == number) & (sequence.role[wrong - 1] == before)]
            shown = ((earlier, sequence.index[here - 1]), (events, sequence.index[here]))
            text = f"{names[number]} right after {names[before]}"
            violations.append(Violation(text, sequence.ts[here - 1], sequence.ts[here], shown))
    cut = int((sequence.first & (sequence.role != 0)).sum())
    edge = f"{cut} × the first event seen is not {names[0]}: it may have come before the recording began" if cut else ""
    keys = int(sequence.first.sum())
    return weigh(view, violations, [edge], f"{sequence.ts.size} events in {keys} sequence{'s' * (keys != 1)}")


def count(verb: Verb, view: View) -> Result:
    """The number of events, in total or for each key."""
    events = view.events(verb.roles[0])
    lows = [verb[name] for name in ("exactly", "at_least") if verb[name] is not None]
    highs = [verb[name] for name in ("exactly", "at_most") if verb[name] is not None]
    if not len(events) and (verb["key"] or not lows or (verb["exactly"] is None and max(lows) <= 0)):
        return Result(None, no_events(events))
    places = view.line(verb, events)
    sizes = np.diff(np.append(np.flatnonzero(places.first), places.ts.size)) if len(events) else np.array([0])
    name = events.role.name
    few, many = sizes[sizes < max(lows, default=0)], sizes[sizes > min(highs, default=math.inf)]
    starts = np.flatnonzero(places.first)[sizes > min(highs, default=math.inf)] if len(events) else np.empty(0, np.intp)
    text = f"{int(many.max(initial=0))} {name}, at most {min(highs, default=0)} expected"
    shown = ((events, places.index[starts]),)
    violations = [Violation(text, places.ts[starts], places.ts[starts], shown, hides=False)]
    if few.size:
        violations.append(Violation(f"{int(few.min())} {name}, at least {max(lows)} expected", *view.whole(1),
                            ((events, np.zeros(1, np.intp)),) if len(events) else ()))
    return weigh(view, violations, [], f"{len(events)} events" + (f", {sizes.size} keys" if verb["key"] else ""))


def ratio(verb: Verb, view: View) -> Result:
    """The number of events of one role for each event of the other."""
    counted, reference = view.events(verb.roles[0]), view.events(verb.roles[1])
    if not len(reference):
        return Result(None, no_events(reference))
    value = len(counted) / len(reference)
    figures = f"{len(counted)} for {len(reference)}: {value:.4g}"
    return _between(view, verb, value, float, figures, counted if len(counted) else reference)


def rate(verb: Verb, view: View) -> Result:
    """Mean events per second from the first to the last."""
    events = view.events(verb.roles[0])
    if len(events) < 2 or events.ts[-1] == events.ts[0]:
        return Result(None, no_events(events) if not len(events) else "a rate needs two events at different times")
    value = (len(events) - 1) * 1e9 / float(events.ts[-1] - events.ts[0])
    return _between(view, verb, value, per_second, f"{len(events)} events at {value:.4g} /s", events)


def _between(view: View, verb: Verb, value: float, read: Callable[[Any], float], figures: str,
             events: Events) -> Result:
    """A figure of the whole recording against its limits."""
    low = verb["at_least"] is not None and value < read(verb["at_least"])
    high = verb["at_most"] is not None and value > read(verb["at_most"])
    ends = np.array([len(events) - 1])
    limit = verb["at_least"] if low else verb["at_most"]
    shown = ((events, ends * 0), (events, ends))
    violations = [Violation(f"{'below' if low else 'above'} {limit}", *view.whole(1), shown)] if low or high else []
    return weigh(view, violations, [], figures)


def jitter(verb: Verb, view: View) -> Result:
    """How far intervals are from the period."""
    events = view.events(verb.roles[0])
    places = view.line(verb, events)
    later = np.flatnonzero(~places.first)
    if not later.size:
        return Result(None, no_events(events) if not len(events) else "jitter needs two events")
    gaps = places.ts[later] - places.ts[later - 1]
    period = percentile(gaps, 50) if verb["period"] is None else nanoseconds(verb["period"])
    off = np.abs(gaps - period)
    wrong = later[off > nanoseconds(verb["at_most"])]
    # A period that is the median of the recorded intervals changes with events lost anywhere.
    since, upto = (places.ts[wrong - 1], places.ts[wrong]) if verb["period"] else view.whole(wrong.size)
    violation = Violation(f"further than {verb['at_most']} from {duration(period)}", since, upto,
                  ((events, places.index[wrong - 1]), (events, places.index[wrong])))
    return weigh(view, [violation], [], f"{gaps.size} intervals, median {duration(percentile(gaps, 50))}, at most "
                                     f"{duration(off.max())} off")


def never(verb: Verb, view: View) -> Result:
    """No event was seen although its source was enabled."""
    events = view.events(verb.roles[0])
    violation = Violation(f"{events.role.name}", events.ts, events.ts, ((events, np.arange(len(events))),), hides=False)
    return weigh(view, [violation], [], f"{events.event} was enabled")


INTERVALS: dict[str, Callable[[Verb, View], Result]] = {
    "pair": pair, "latency": latency, "order": order, "count": count, "ratio": ratio, "rate": rate, "jitter": jitter,
    "never": never}
