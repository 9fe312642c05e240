"""The kernel's taint bits.   Ref: Documentation/admin-guide/tainted-kernels.rst"""
from __future__ import annotations

from dataclasses import dataclass

from bench.health.issue import FAIL, INFO, WARN, HealthIssue


@dataclass(frozen=True)
class Taint:
    """One bit of /proc/sys/kernel/tainted; `severity` is that of a bit which appears during a check."""

    bit: int
    letter: str
    meaning: str
    severity: str


TAINTS = (
    Taint(0, "P", "a proprietary module was loaded", INFO),
    Taint(1, "F", "a module was force-loaded", WARN),
    Taint(2, "S", "the kernel runs on an out of specification system", WARN),
    Taint(3, "R", "a module was force-unloaded", WARN),
    Taint(4, "M", "a processor reported a machine check exception", FAIL),
    Taint(5, "B", "a bad page was referenced, or page flags were unexpected", FAIL),
    Taint(6, "U", "user space asked for this taint", WARN),
    Taint(7, "D", "the kernel died: there was an OOPS or a BUG", FAIL),
    Taint(8, "A", "an ACPI table was overridden", WARN),
    Taint(9, "W", "the kernel issued a warning", FAIL),
    Taint(10, "C", "a staging driver was loaded", INFO),
    Taint(11, "I", "a workaround for a bug in the firmware was applied", WARN),
    Taint(12, "O", "an out-of-tree module was loaded", INFO),
    Taint(13, "E", "an unsigned module was loaded", INFO),
    Taint(14, "L", "a soft lockup occurred", FAIL),
    Taint(15, "K", "the kernel was live patched", INFO),
    Taint(16, "X", "auxiliary taint, defined by the distribution", INFO),
    Taint(17, "T", "the kernel was built with randomised structures", INFO),
    Taint(18, "N", "an in-kernel test ran", INFO),
    Taint(19, "J", "user space used a mutating debug operation in fwctl", WARN),
)


def taint_issues(before: int, after: int) -> tuple[HealthIssue, ...]:
    """An issue for each taint bit that `after` has and `before` has not."""
    new = after & ~before
    known = [taint for taint in TAINTS if new >> taint.bit & 1]
    found = [HealthIssue("taint", f"taint {t.letter} appeared: {t.meaning}", t.severity) for t in known]
    unknown = new >> len(TAINTS) << len(TAINTS)
    if unknown:
        found.append(HealthIssue("taint", f"taint bits {unknown:#x} appeared: unknown to this bench", WARN))
    return tuple(found)
