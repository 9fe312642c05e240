"""`bench lifecycle`: device × action."""
from __future__ import annotations

import argparse
from typing import Any

from bench.cli import options as common


def add_parser(commands: Any) -> None:
    """Add the command."""
    command = common.add_command(
        commands, "lifecycle", "unbind, rebind, reload, suspend … every device that has a driver: a matrix",
        "bench lifecycle --board twin210 -k 'spi or i2c'")
    common.add_board(command)
    common.add_selection(command)
    common.add_faults(command)


def run(options: argparse.Namespace) -> int:
    """Run the matrix; returns the exit code."""
    from bench.cli import checks

    return checks.run(options)
