"""`bench prove`: every check can fail."""
from __future__ import annotations

import argparse
from typing import Any

from bench.cli import options as common


def add_parser(commands: Any) -> None:
    """Add the command."""
    command = common.add_command(
        commands, "prove", "prove that each check can fail: run it once with each fault that it names",
        "bench prove --board twin210 -k mac")
    common.add_board(command)
    common.add_selection(command)
    common.add_quick(command, "only the first fault of each check")


def run(options: argparse.Namespace) -> int:
    """Run the proofs; returns the exit code."""
    from bench.cli import checks

    return checks.run(options)
