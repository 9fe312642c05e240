"""Judge records: what a run comes to (exit code, counts, headline), and its traces once more, offline."""
from __future__ import annotations

from bench.judge import site
from bench.judge.again import Change, Judgement, judge
from bench.judge.coverage import ModuleCoverage, coverage, uncovered
from bench.judge.outcome import (
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

__all__ = [
    "BROKEN", "FAILED", "INCONCLUSIVE", "PASSED", "USAGE", "Change", "Judgement", "ModuleCoverage", "Summary",
    "counts", "coverage", "exit_code",
    "judge", "kind", "of", "site", "summary", "uncovered", "why",
]
