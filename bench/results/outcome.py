"""What records come to: an exit code, counts, a headline.

Exit codes: 0 passed, 1 a driver or the board failed, 2 inconclusive, 3 the rig or the bench is broken, 64 usage.
A failure outweighs a broken rig: its evidence stands whatever broke later. A known defect does not fail a run; one
that passes unexpectedly is said. A run in which nothing was judged is inconclusive, never passed.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.store import CheckRecord, Record
from bench.verdict import Outcome

PASSED, FAILED, INCONCLUSIVE, BROKEN, USAGE = 0, 1, 2, 3, 64


@dataclass(frozen=True)
class Summary:
    """A run in short: checks by outcome (known defects among them counted apart), and what to say on top."""

    passed: tuple[CheckRecord, ...]
    failed: tuple[CheckRecord, ...]
    inconclusive: tuple[CheckRecord, ...]
    broken: tuple[CheckRecord, ...]
    skipped: tuple[CheckRecord, ...]
    known: tuple[CheckRecord, ...]  # failed, as the board's data says that they do
    fixed: tuple[CheckRecord, ...]  # passed, though the board's data says that they fail
    complete: bool
    seconds: float

    @property
    def total(self) -> int:
        """Number of checks, skipped ones included."""
        return sum(map(len, (self.passed, self.failed, self.inconclusive, self.broken, self.skipped, self.known)))

    @property
    def exit_code(self) -> int:
        """The exit code that this run ends with."""
        if self.failed:
            return FAILED
        if self.broken or not self.complete:
            return BROKEN
        if self.inconclusive or not (self.passed or self.known):
            return INCONCLUSIVE
        return PASSED

    @property
    def word(self) -> str:
        """The verdict on the run in a word."""
        return {PASSED: "Passed", FAILED: "Failed", INCONCLUSIVE: "Inconclusive", BROKEN: "Broken"}[self.exit_code]

    @property
    def headline(self) -> str:
        """The verdict on the run in a sentence, for a person."""
        return self._main()

    @property
    def more(self) -> str:
        """What else is to be said of the run, in a sentence each; may be empty."""
        parts = []
        if self.exit_code == FAILED and self.broken:
            parts.append(f"The rig or the bench broke in {_checks(len(self.broken))}.")
        if self.exit_code in (FAILED, BROKEN) and self.inconclusive:
            parts.append(f"{_checks(len(self.inconclusive)).capitalize()} were inconclusive.")
        if self.known:
            parts.append(f"{_checks(len(self.known)).capitalize()} failed with a known defect.")
        if self.fixed:
            parts.append(f"{_checks(len(self.fixed)).capitalize()} passed despite a known defect: has it been fixed?")
        if not self.complete:
            parts.append("The run was stopped early.")
        return " ".join(parts)

    def _main(self) -> str:
        of = f"of {_checks(self.total)}"
        if self.exit_code == FAILED:
            return f"{len(self.failed)} {of} failed."
        if self.broken:
            return f"The rig or the bench broke in {len(self.broken)} {of}, which says nothing about the drivers."
        if not self.complete:
            return f"No check failed in the {_checks(self.total)} that ran."
        if self.inconclusive:
            return f"No check failed, but {len(self.inconclusive)} {of} were inconclusive."
        if self.exit_code == INCONCLUSIVE:
            return f"Nothing was judged: all {_checks(self.total)} were skipped." if self.total else "No check ran."
        ran = _checks(self.total - len(self.skipped))
        return f"{len(self.passed)} of {ran} passed." if self.known else f"All {ran} that ran passed."

    def as_dict(self) -> dict[str, Any]:
        """Return counts and exit code as the record's end line keeps them."""
        names = ("passed", "failed", "inconclusive", "broken", "skipped", "known", "fixed")
        counts: dict[str, Any] = {name: len(getattr(self, name)) for name in names}
        return {**counts, "exit_code": self.exit_code, "seconds": round(self.seconds, 3)}


def summary(checks: Sequence[CheckRecord], complete: bool = True) -> Summary:
    """Count `checks`; `complete` is False when the run was stopped before its end."""
    def those(outcome: Outcome) -> tuple[CheckRecord, ...]:
        return tuple(check for check in checks if check.outcome is outcome)

    failed = those(Outcome.FAIL)
    return Summary(
        passed=those(Outcome.PASS),
        failed=tuple(check for check in failed if check.known_defect is None),
        inconclusive=those(Outcome.INCONCLUSIVE),
        broken=those(Outcome.BROKEN),
        skipped=those(Outcome.SKIP),
        known=tuple(check for check in failed if check.known_defect is not None),
        fixed=tuple(check for check in those(Outcome.PASS) if check.known_defect is not None),
        complete=complete,
        seconds=sum(check.seconds for check in checks),
    )


def of(record: Record) -> Summary:
    """Return the summary of a record that was read."""
    return summary(record.checks, record.complete)


def exit_code(record: Record) -> int:
    """Return the exit code that `record` stands for."""
    return of(record).exit_code


def kind(check: CheckRecord) -> str:
    """Return how a check ended, as it is counted: one of the five outcomes, or `known` for a known defect's failure."""
    return "known" if check.outcome is Outcome.FAIL and check.known_defect is not None else str(check.outcome)


def counts(checks: Sequence[CheckRecord]) -> Counter[str]:
    """Return how many checks ended how (see `kind`)."""
    return Counter(map(kind, checks))


def why(check: CheckRecord) -> str:
    """Return why a check ended as it did, in words: its reason, or the first verdict or assertion that says so."""
    if check.reason:
        return check.reason
    for verdict in (verdict for call in check.calls for verdict in call.verdicts):
        if verdict.outcome is check.outcome:
            return f"{verdict.claim}: {verdict.reason}" if verdict.reason else verdict.claim
    return next((line for line in check.failure.splitlines() if line.strip()), "no reason was recorded")


def _checks(number: int) -> str:
    return "1 check" if number == 1 else f"{number} checks"
