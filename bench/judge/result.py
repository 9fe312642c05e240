"""What one claim came to, and how evidence against it is weighed."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.judge.view import Events, Sight, Times
from bench.verdict import Witness

# Witnesses kept: enough to see the pattern.
MOST_WITNESSES = 24


@dataclass(frozen=True)
class Finding:
    """True, False or None (inconclusive), why, and the events that show it."""

    value: bool | None
    reason: str = ""
    witnesses: tuple[Witness, ...] = ()

    @property
    def negated(self) -> Finding:
        """The opposite claim's finding."""
        return Finding(None if self.value is None else not self.value, self.reason, self.witnesses)

    @classmethod
    def joined(cls, value: bool | None, parts: Sequence[Finding]) -> Finding:
        """Several findings of the same value as one."""
        witnesses = {(w.ts, w.cpu, w.event): w for part in parts for w in part.witnesses}
        chosen = sorted(witnesses.values(), key=lambda w: w.ts)[:MOST_WITNESSES]
        return cls(value, "; ".join(part.reason for part in parts if part.reason), tuple(chosen))


@dataclass(frozen=True)
class Break:
    """Places where a claim is broken: what is wrong, when the evidence lies, and the events that show each one.

    `hides`: lost events within [since, upto] could explain it away.
    """

    text: str
    since: Times
    upto: Times
    shown: tuple[tuple[Events, NDArray[np.intp]], ...]
    hides: bool = True


def weigh(sight: Sight, breaks: Iterable[Break], edges: Sequence[str], reason: str) -> Finding:
    """The finding of a claim from what breaks it, what is inconclusive at the recording's edges, and what was lost."""
    hidden = 0
    for found in breaks:
        if not found.since.size:
            continue
        covered = sight.hidden(found.since, found.upto) if found.hides else np.zeros(found.since.size, np.bool_)
        solid = np.flatnonzero(~covered)
        if solid.size:
            return Finding(False, f"{solid.size} × {found.text}; {reason}", witnesses(sight, found, solid))
        hidden += found.since.size
    if hidden:
        return Finding(None, f"{sight.loss}: that may explain what looks wrong ({hidden} ×)")
    said = [edge for edge in edges if edge]
    if said:
        return Finding(None, "; ".join([*said, reason]))
    if sight.loss:
        return Finding(None, sight.loss)
    return Finding(True, reason)


def witnesses(sight: Sight, found: Break, which: NDArray[np.intp]) -> tuple[Witness, ...]:
    """The first events that show a break, by time."""
    each = max(MOST_WITNESSES // max(len(found.shown), 1), 1)
    chosen = [sight.trace.witness_of_row(int(events.rows[index]))
              for events, indexes in found.shown for index in indexes[which[:each]].tolist()]
    return tuple(sorted(chosen, key=lambda w: (w.ts, w.cpu)))


def names_of(roles: Sequence[Events]) -> list[str]:
    """What to call roles in a reason."""
    return [events.role.name for events in roles]


def no_events(*events: Events) -> str:
    """The reason for a claim that saw none of its events."""
    return f"saw none of its events ({', '.join(one.event for one in events)} armed, never came)"
