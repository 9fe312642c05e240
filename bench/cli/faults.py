"""`bench faults`: what can be made to go wrong."""
from __future__ import annotations

import argparse
from typing import Any

from bench.cli import options as common


def add_parser(commands: Any) -> None:
    """Add the command."""
    command = common.add_command(commands, "faults", "list the faults that can be injected",
                                 "bench faults --board twin210")
    common.add_board(command)


def run(options: argparse.Namespace) -> int:
    """List them with what each does."""
    from rich.console import Console
    from rich.table import Table

    from bench import board as boards
    from bench.faults import describe

    table = Table(header_style="bold", pad_edge=False)
    table.add_column("fault")
    table.add_column("what goes wrong")
    for name, text in describe(boards.load(options.board)).items():
        table.add_row(name, text)
    Console().print(table)
    return 0
