"""Repeat a call, each time with another bus transaction failing, to exercise a driver's error paths.

    def test_…(sweep, spi):
        found = sweep("s3c64xx_spi:bus_fail", lambda: spi.message(transfers=[{"data": LONG}]))
        assert not found.silent and not found.lasting and not found.unwell
"""
from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import Any

from bench import faults, health
from bench.errors import Hang
from bench.plugin.running_check import RunningCheck
from bench.rig import Rig
from bench.rig.call import Answer
from fixtures.fault import Faults

DENSE = 24  # every n up to here, then each a quarter further than the one before
MOST = 48  # rows
SECONDS = 120.0
TRIES = 3  # calls without the fault until one is right again


class Sweep:
    """The rows of one sweep. A row has n, outcome (right, wrong, an errno's name, hang), recovered, health, seconds.

    recovered says which call without the fault was right again: 1, 2, 3, `repaired` when only one after the repair
    was, `never`. The last row is the run in which the fault did not fire any more (outcome `not reached`).
    """

    def __init__(self, rows: list[dict[str, Any]], ended: str) -> None:
        self.rows, self.ended = rows, ended

    @property
    def fired(self) -> list[dict[str, Any]]:
        """The rows in which the fault fired."""
        return [row for row in self.rows if row["outcome"] != "not reached"]

    @property
    def silent(self) -> list[int]:
        """Every n at which the program got wrong data without an error."""
        return [row["n"] for row in self.fired if row["outcome"] == "wrong"]

    @property
    def lasting(self) -> list[int]:
        """Every n after which no call was right again, not even after the repair."""
        return [row["n"] for row in self.fired if row["recovered"] == "never"]

    @property
    def late(self) -> list[int]:
        """Every n after which the next call was not right."""
        return [row["n"] for row in self.fired if row["recovered"] != "1"]

    @property
    def unwell(self) -> list[int]:
        """Every n at which the kernel's health suffered, or it hung."""
        return [row["n"] for row in self.fired if row["health"] != "well"]

    @classmethod
    def run(cls, rig: Rig, current: RunningCheck, fault: str, once: Callable[[], Answer], *,
            right: Callable[[Any], bool] | None = None, before: Callable[[], object] | None = None,
            repair: Callable[[], object] | None = None, most: int = MOST, seconds: float = SECONDS) -> Sweep:
        """Call `once` with `fault` (place:name) at its 1st, 2nd, 3rd … chance, until it no longer fires.

        `right` judges a value; the default is the value of a first call without a fault. `before` is done
        before each call, without the fault, `repair` (such as unbind and bind) where calls stay wrong. At most
        `most` rows and `seconds`. `current` is the check: its record gets the rows as they come, and splats that it
        expects are not health issues.
        """
        place, name = faults.place(rig, fault)
        self = cls([], "")
        good = _Good(once, before, right, repair)
        deadline = time.monotonic() + seconds
        n = 1
        while len(self.rows) < most and time.monotonic() < deadline:
            row = _row(rig, place, name, n, good, current.expected)
            self.rows.append(row)
            current.rows.append({"fault": fault, **row})
            if row["outcome"] == "not reached":
                self.ended = f"the fault has {n - 1} chances, or fewer"
                return self
            n += 1 if n < DENSE else n // 4
        self.ended = f"stopped at n = {n}: {most} runs or {seconds:g} s are the limit"
        return self


class _Good:
    """A call with a known right value."""

    def __init__(self, once: Callable[[], Answer], before: Callable[[], object] | None,
                 right: Callable[[Any], bool] | None, repair: Callable[[], object] | None) -> None:
        self.once, self.before, self.repair = once, before or (lambda: None), repair
        self.right = right or (lambda value: True)
        for _ in range(TRIES):  # a driver's own time limits are short for a busy twin
            self.before()
            first = once()
            if not first.error and self.right(first.result):
                break
        assert self.right(first.value), f"without any fault the call gives {first.value!r}"
        self.right = right or (lambda value: bool(value == first.value))

    def ask(self) -> str:
        """`right`, `wrong`, or the name of the errno."""
        answer = self.once()
        if answer.error:
            return errno.errorcode.get(answer.errno, str(answer.errno))
        return "right" if self.right(answer.result) else "wrong"

    def again(self) -> str:
        """Which call is right again: 1, 2, 3, `repaired` or `never`."""
        for number in range(1, TRIES + 1):
            self.before()
            if self.ask() == "right":
                return str(number)
        if self.repair is None:
            return "never"
        self.repair()
        self.before()
        return "repaired" if self.ask() == "right" else "never"


def _row(rig: Rig, place: Faults, name: str, n: int, good: _Good, expected: tuple[str, ...]) -> dict[str, Any]:
    kernel = rig.exerciser("kernel")
    started = time.monotonic()
    try:
        good.before()
        before = kernel.snapshot().value
        place.set(name, nth=n)
        try:
            outcome = good.ask()
        finally:
            fired = place.fired.get(name, 0)
            place.set(name, False)
        seconds = time.monotonic() - started
        recovered = good.again() if fired else ""
        state = _health(kernel, before, expected)
    except Hang as e:
        place.set(name, False)
        rig.power_cycle()
        seconds = time.monotonic() - started
        return {"n": n, "outcome": "hang", "recovered": "never", "health": str(e), "seconds": round(seconds, 2)}
    return {"n": n, "outcome": outcome if fired else "not reached", "recovered": recovered, "health": state,
            "seconds": round(seconds, 2)}


def _health(kernel: Any, before: dict[str, Any], expected: tuple[str, ...]) -> str:
    """`well`, or the first health issue; an error that the driver logs does not count."""
    log = health.kernel_lines(kernel.kmsg(since=before["kmsg"]).value["records"])
    issues = health.compare(before, kernel.snapshot().value, log, expected)
    bad = [f.text for f in issues if f.severity == "fail" and f.kind != "log"]
    return bad[0] if bad else "well"
