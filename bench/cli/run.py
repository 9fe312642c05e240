"""`bench run`: the checks that match."""
from __future__ import annotations

import argparse
from typing import Any

from bench.cli import options as common


def add_parser(commands: Any) -> None:
    """Add the command."""
    command = common.add_command(commands, "run", "run the checks that match",
                                 "bench run --board twin210 -k 'carrier and not flap'")
    common.add_board(command)
    common.add_selection(command, default_jobs=1, twins="1")
    common.add_coverage(command)
    common.add_faults(command)
    common.add_quick(command)
    command.add_argument("--times", type=int, default=1, metavar="N", help="run each check N times")


def run(options: argparse.Namespace) -> int:
    """Run the checks; returns the exit code."""
    from bench.cli import checks

    return checks.run(options)
