"""Hooks that the plugin offers to others (the command line's live progress uses them)."""
from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # any pytest run loads this module, also one without a board
    from bench.rig import Rig
    from bench.store import CheckRecord


def pytest_bench_check(record: CheckRecord) -> None:
    """Called after each check, when its record is on the disk."""


def pytest_bench_leave(rig: Rig) -> None:
    """Called at the end of the run or its interruption: the checks' changes are undone, the target still answers."""
