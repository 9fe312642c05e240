"""`bench judge`: a record judged again, without a board."""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench.cli import options as common


def add_parser(commands: Any) -> None:
    """Add the command."""
    command = common.add_command(commands, "judge", "judge a record again with the contracts of today, without a board",
                                 "bench judge records/20261122-101500-twin210")
    common.add_record(command)


def run(options: argparse.Namespace) -> int:
    """Judge it, show what changed, and return the exit code that the record has now."""
    from rich.console import Console

    from bench import report, results, store

    again = results.judge(store.read(Path(options.record)))
    console = Console()
    console.print(report.table(again.record))
    console.print(report.changes(again))
    return results.exit_code(again.record)
