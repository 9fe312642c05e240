"""The running check: its item, its evidence so far, and its outcome."""
from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Sequence
from typing import Any

import pytest

from bench import store
from bench.errors import Broken
from bench.health import HealthIssue, compare, crash_in, kernel_lines
from bench.results import board_contracts
from bench.rig import Rig
from bench.rig.call import Journal
from bench.rig.exerciser import exerciser_of
from bench.verdict import Outcome, Verdict
from drivers.contract import Contract
from drivers.uapi.clock import hull
from fixtures.cable import Crossing

ORDER = [Outcome.PASS, Outcome.SKIP, Outcome.INCONCLUSIVE, Outcome.FAIL, Outcome.BROKEN]


@dataclasses.dataclass
class RunningCheck:
    """The check that is running."""

    name: str = ""
    exerciser: str = ""
    expected: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    device: str = ""
    rig: Rig | None = None
    boot: int = 0  # the rig's count of boots when the check began
    outcome: Outcome = Outcome.PASS
    reason: str = ""
    failure: str = ""
    started_ns: int = 0
    measured: list[store.Measurement] = dataclasses.field(default_factory=list)
    kept: dict[str, bytes] = dataclasses.field(default_factory=dict)
    rows: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    health: tuple[HealthIssue, ...] = ()
    kmsg: tuple[tuple[int, int, str], ...] = ()
    kmsg_error_ns: int | None = None
    covered: tuple[store.Covered, ...] = ()
    journal: Journal = dataclasses.field(default_factory=Journal)
    crossings: tuple[Crossing, ...] = ()
    wire: tuple[store.WireEvent, ...] = ()
    before: dict[str, Any] = dataclasses.field(default_factory=dict)
    after: dict[str, Any] = dataclasses.field(default_factory=dict)
    undo: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)

    @classmethod
    def nothing(cls) -> RunningCheck:
        """No check is running."""
        return cls()

    @classmethod
    def start(cls, item: pytest.Item, faults: tuple[str, ...]) -> RunningCheck:
        """The check `item`, about to be set up."""
        expected = tuple(m.kwargs.get("splat") or m.args[0] for m in item.iter_markers("expects"))
        return cls(item.nodeid, exerciser_of(item.path), expected, faults, started_ns=time.monotonic_ns())

    def open(self, rig: Rig, before: dict[str, Any] | None) -> None:
        """Take the snapshot before, or use the one after the last check: the target has not been touched since."""
        self.rig, self.boot = rig, rig.boots
        self.before = before or rig.exerciser("kernel").snapshot().value
        rig.journal = self.journal
        self.started_ns = time.monotonic_ns()

    def close(self, rig: Rig) -> tuple[HealthIssue, ...]:
        """Take the snapshot after, and the kernel log between; returns what is new."""
        kernel = rig.exerciser("kernel")
        after = kernel.snapshot().value
        log = kernel.kmsg(since=self.before["kmsg"]).value
        self.after = {**after, "kmsg": log["last"]}
        # The log's clock is the scheduler's: measured before and after the check, and nothing is known without both.
        measured = [clock for clock in (self.before.get("log_clock"), after.get("log_clock")) if clock]
        offset, self.kmsg_error_ns = hull(measured) if len(measured) == 2 else (0, None)
        self.kmsg = tuple((ns - offset, level, text) for ns, level, text in kernel_lines(log["records"]))
        self.health = compare(self.before, after, self.kmsg, self.expected)
        self.journal.timed_by(rig.clock)
        self.health += tuple(
            HealthIssue("chip", f"{name}: {violation}", "warn")
            for name, chip in rig.access.chips.items() for violation in chip.violations
        )
        errors = rig.access.model_errors()
        if errors:
            raise Broken(f"a chip model raised: {errors[0]}")
        return self.health

    def close_dead(self, rig: Rig) -> None:
        """Collect the console of a target that does not answer."""
        crash = crash_in(line.text for line in rig.console(self.started_ns))
        if crash:
            self.health = (crash,)

    def fail(self, outcome: Outcome, reason: str, text: str) -> None:
        """Record the outcome of a phase of the check, if it is worse than the one so far."""
        if ORDER.index(outcome) > ORDER.index(self.outcome):
            self.outcome, self.reason, self.failure = outcome, reason, text

    def measure(self, name: str, value: float, unit: str, limit: float | None, at_least: float | None) -> float:
        """Record a measured value and assert its limits."""
        ok = (limit is None or value <= limit) and (at_least is None or value >= at_least)
        bound = limit if limit is not None else at_least
        self.measured.append(store.Measurement(name, float(value), unit, bound, ok))
        assert ok, f"{name} is {value:g} {unit}; the limit is {'at least ' if limit is None else ''}{bound:g} {unit}"
        return value


def judge_board_contracts(contracts: Sequence[Contract], journal: Journal) -> list[Verdict]:
    """Judge the board's own contracts on the calls that they concern; those that are violated."""
    violated = []
    for answer in journal.answers:
        if answer.trace is not None:
            for verdict in board_contracts.judge(contracts, answer.trace, answer.call.arguments):
                journal.conclude(answer, verdict)
                if verdict.outcome is Outcome.FAIL:
                    violated.append(verdict)
    return violated


def judge_the_rest(journal: Journal) -> None:
    """Judge the contracts that a failed check had enabled but not reached: the kernel's trace is evidence, too."""
    for answer in journal.answers:
        judged = {verdict.claim.split(":")[0] for verdict in journal.verdicts(answer)}
        for contract in answer.call.contracts if answer.trace is not None else ():
            if contract.name.split(":")[0] not in judged and not contract.unbound:
                contract(answer)
