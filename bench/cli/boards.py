"""`bench boards`: the boards and their devices."""
from __future__ import annotations

import argparse
from typing import Any

from bench.cli import options as common


def add_parser(commands: Any) -> None:
    """Add the command."""
    common.add_command(commands, "boards", "list the boards", "bench boards")


def run(options: argparse.Namespace) -> int:
    """List them with their devices."""
    from rich.console import Console
    from rich.table import Table

    from bench import board as boards

    table = Table(header_style="bold", pad_edge=False)
    for name in ("board", "what", "devices", "twin"):
        table.add_column(name)
    for name in boards.names():
        board = boards.load(name)
        devices = ", ".join(f"{d.name} ({d.driver})" for d in board.devices)
        table.add_row(name, board.description, devices, "yes" if board.twin else "")
    Console().print(table)
    return 0
