"""Judge records: what a run comes to (exit code, counts, headline), and its traces once more, offline."""
from __future__ import annotations

from bench.results import board_contracts
from bench.results.coverage import ModuleCoverage, coverage, uncovered
from bench.results.outcome import (
    BROKEN,
    FAILED,
    INCONCLUSIVE,
    PASSED,
    USAGE,
    Summary,
    counts,
    exit_code,
    kind,
    of,
    summary,
    why,
)
from bench.results.rejudge import Change, Judgement, judge

__all__ = [
    "BROKEN",
    "FAILED",
    "INCONCLUSIVE",
    "PASSED",
    "USAGE",
    "Change",
    "Judgement",
    "ModuleCoverage",
    "Summary",
    "board_contracts",
    "counts",
    "coverage",
    "exit_code",
    "judge",
    "kind",
    "of",
    "summary",
    "uncovered",
    "why",
]
