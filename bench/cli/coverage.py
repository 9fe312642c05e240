"""`bench coverage`: which functions of the board's drivers the checks enter, and which none of them reaches."""
from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from bench import report, store
from bench.errors import UsageError
from bench.results import coverage


def run(options: argparse.Namespace) -> int:
    """Run the checks with coverage, or show that of a record."""
    if bool(options.board) == bool(options.shown):
        raise UsageError("bench coverage needs a board, to run its checks, or a record, to show it: not both, not none")
    if options.board:
        from bench.cli import checks

        return checks.run(options)
    record = store.read(Path(options.shown))
    if not coverage(record):
        raise UsageError(f"{record.folder}: this run did not ask for coverage: bench run --coverage, or bench coverage")
    Console().print(report.covered(record, every=True))
    return 0
