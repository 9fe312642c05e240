"""`bench accept`: every check on a board, and the report."""
from __future__ import annotations

import argparse
from typing import Any

from bench.cli import options as common


def add_parser(commands: Any) -> None:
    """Add the command."""
    command = common.add_command(commands, "accept", "run every check on a board and write the report",
                                 "bench accept --board twin210")
    common.add_board(command)
    common.add_selection(command, twins="two per core, with --quick one per core")
    common.add_coverage(command)
    common.add_faults(command)
    common.add_quick(command)


def run(options: argparse.Namespace) -> int:
    """Run the checks; returns the exit code."""
    from bench.cli import checks

    return checks.run(options)
