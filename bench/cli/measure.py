"""`bench measure`: the bench itself, measured on this machine."""
from __future__ import annotations

import argparse
from typing import Any

from bench.cli import options as common


def add_parser(commands: Any) -> None:
    """Add the command."""
    command = common.add_command(commands, "measure", "measure the bench itself on this machine",
                                 "bench measure --board twin210")
    command.add_argument("--board", default="twin210", metavar="NAME", help="name of the board (default: twin210)")


def run(options: argparse.Namespace) -> int:
    """Measure and print the figures."""
    from bench.benchmark import rig

    return rig.run(options.board)
