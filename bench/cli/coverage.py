"""`bench coverage`: which functions of the board's drivers the checks enter, and which none of them reaches."""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench.cli import options as common
from bench.errors import UsageError


def add_parser(commands: Any) -> None:
    """Add the command."""
    command = common.add_command(
        commands, "coverage", "run checks and list the driver functions that they enter and that none reaches",
        "bench coverage --board twin210 -k mac", "bench coverage records/20261122-101500-twin210")
    command.add_argument("shown", nargs="?", metavar="RECORD", help="show the coverage in this record; needs no board")
    command.set_defaults(coverage=True)
    common.add_board(command, required=False)
    common.add_selection(command)
    common.add_faults(command)


def run(options: argparse.Namespace) -> int:
    """Run the checks with coverage, or show that of a record."""
    if bool(options.board) == bool(options.shown):
        raise UsageError("bench coverage takes either --board, to run its checks, or a record, to show its coverage")
    if options.board:
        from bench.cli import checks

        return checks.run(options)
    from rich.console import Console

    from bench import report, store
    from bench.results import coverage

    record = store.read(Path(options.shown))
    if not coverage(record):
        raise UsageError(f"{record.folder}: recorded without coverage; use bench run --coverage or bench coverage")
    Console().print(report.covered(record, every=True))
    return 0
