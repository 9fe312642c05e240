"""The kernel's own health: what its log, its taint bits and its counters say about a check."""
from __future__ import annotations

from bench.health.compare import compare
from bench.health.issue import FAIL, INFO, WARN, HealthIssue
from bench.health.kernel_log import HEADS, RESET, LogLine, crash_in, head_of, kernel_lines, reports_in
from bench.health.taint import TAINTS, taint_issues

__all__ = [
    "FAIL", "HEADS", "INFO", "RESET", "TAINTS", "WARN", "HealthIssue", "LogLine", "compare", "crash_in", "head_of",
    "kernel_lines", "reports_in", "taint_issues",
]
