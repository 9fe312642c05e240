"""The words of a judgement: five outcomes, and a verdict with the events that show it."""
from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

from bench.errors import Inconclusive

# How a terminal shows an outcome; "known" is a failure that a known defect explains.
SYMBOLS = {"pass": "✓", "fail": "✗", "inconclusive": "?", "broken": "!", "skip": "–", "known": "≈"}
WORDS = {name: name for name in SYMBOLS} | {"fail": "FAIL"}
STYLES = {"pass": "green", "fail": "bold red", "inconclusive": "yellow", "broken": "magenta", "skip": "dim",
          "known": "rgb(200,110,40)"}

class Outcome(str, enum.Enum):
    """How a check or one of its contracts ended, best first."""

    PASS = "pass"
    SKIP = "skip"  # not on this board
    INCONCLUSIVE = "inconclusive"  # events lost, tracepoint missing, witness absent
    FAIL = "fail"
    BROKEN = "broken"  # the rig or the bench, never the driver

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Witness:
    """One event that shows a verdict: time in ns of the target's CLOCK_MONOTONIC, and its fields."""

    ts: int
    cpu: int
    pid: int
    event: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What a contract says of a trace.

    `claim` is the contract in words, `reason` says why the outcome is what it is, `witnesses` are
    the events that prove it (at most a few dozen, the first ones).
    """

    outcome: Outcome
    claim: str
    reason: str = ""
    witnesses: tuple[Witness, ...] = ()

    def __bool__(self) -> bool:
        """True for pass, False for fail; an inconclusive one raises Inconclusive: it is never a pass."""
        if self.outcome in (Outcome.PASS, Outcome.FAIL):
            return self.outcome is Outcome.PASS
        raise Inconclusive(f"{self.claim}: {self.reason}")

    def __str__(self) -> str:
        return f"{self.outcome}: {self.claim}" + (f" ({self.reason})" if self.reason else "")
