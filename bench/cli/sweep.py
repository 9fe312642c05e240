"""`bench sweep`: the n-th bus transaction fails."""
from __future__ import annotations

import argparse
from typing import Any

from bench.cli import options as common


def add_parser(commands: Any) -> None:
    """Add the command."""
    command = common.add_command(
        commands, "sweep", "fail the n-th bus transaction, for n = 1, 2, 3 …: errno, recovery, kernel health",
        "bench sweep --board twin210 spi")
    command.add_argument("exerciser", nargs="?", metavar="EXERCISER",
                         help="only the sweeps of this exerciser, e.g. spi")
    common.add_board(command)
    common.add_selection(command)


def run(options: argparse.Namespace) -> int:
    """Run the sweeps; returns the exit code."""
    from bench.cli import checks

    return checks.run(options)
