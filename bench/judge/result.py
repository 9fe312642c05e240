"""The result of one claim, and how evidence against it is weighed."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.judge.view import Events, Times, View
from bench.verdict import Witness

# Witnesses kept per result: enough to see the pattern.
MOST_WITNESSES = 24


@dataclass(frozen=True)
class Result:
    """True, False or None (inconclusive), why, and the events that show it."""

    value: bool | None
    reason: str = ""
    witnesses: tuple[Witness, ...] = ()

    @property
    def negated(self) -> Result:
        """The opposite claim's result."""
        return Result(None if self.value is None else not self.value, self.reason, self.witnesses)

    @classmethod
    def joined(cls, value: bool | None, parts: Sequence[Result]) -> Result:
        """Several results of the same value as one."""
        witnesses = {(w.ts, w.cpu, w.event): w for part in parts for w in part.witnesses}
        chosen = sorted(witnesses.values(), key=lambda w: w.ts)[:MOST_WITNESSES]
        return cls(value, "; ".join(part.reason for part in parts if part.reason), tuple(chosen))


@dataclass(frozen=True)
class Violation:
    """Places where a claim is broken: what is wrong, when the evidence lies, and the events that show each one.

    `hides`: lost events within [since, upto] could explain it away.
    """

    text: str
    since: Times
    upto: Times
    shown: tuple[tuple[Events, NDArray[np.intp]], ...]
    hides: bool = True


def weigh(view: View, violations: Iterable[Violation], edges: Sequence[str], reason: str) -> Result:
    """The result of a claim: its violations, what the recording's edges leave open, and what was lost."""
    hidden = 0
    for violation in violations:
        if not violation.since.size:
            continue
        since = violation.since
        covered = view.hidden(since, violation.upto) if violation.hides else np.zeros(since.size, np.bool_)
        solid = np.flatnonzero(~covered)
        if solid.size:
            return Result(False, f"{solid.size} × {violation.text}; {reason}", witnesses(view, violation, solid))
        hidden += violation.since.size
    if hidden:
        return Result(None, f"{view.loss}: that may explain what looks wrong ({hidden} ×)")
    open_edges = [edge for edge in edges if edge]
    if open_edges:
        return Result(None, "; ".join([*open_edges, reason]))
    if view.loss:
        return Result(None, view.loss)
    return Result(True, reason)


def witnesses(view: View, violation: Violation, which: NDArray[np.intp]) -> tuple[Witness, ...]:
    """The first events that show a violation, by time."""
    each = max(MOST_WITNESSES // max(len(violation.shown), 1), 1)
    chosen = [view.trace.witness_of_row(int(events.rows[index]))
              for events, indexes in violation.shown for index in indexes[which[:each]].tolist()]
    return tuple(sorted(chosen, key=lambda w: (w.ts, w.cpu)))


def names_of(roles: Sequence[Events]) -> list[str]:
    """The names of roles, for a reason."""
    return [events.role.name for events in roles]


def no_events(*events: Events) -> str:
    """The reason for a claim without any of its events."""
    return f"saw none of its events ({', '.join(role.event for role in events)} enabled, not seen)"
