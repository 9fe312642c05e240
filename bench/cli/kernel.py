"""`bench kernel`: the kernel under test."""
from __future__ import annotations

import argparse
from typing import Any

from bench.cli import options as common


def add_parser(commands: Any) -> None:
    """Add the command."""
    common.add_command(commands, "kernel", "show version, configuration hash and location of the kernel under test",
                       "bench kernel")


def run(options: argparse.Namespace) -> int:
    """Make the kernel if need be, and show it."""
    from rich.console import Console

    from bench import setup

    artefacts = setup.prepare()
    console = Console(highlight=False)
    for name, value in (
        ("version", artefacts.kernel_version), ("configuration", artefacts.config_hash),
        ("image", artefacts.kernel), ("config file", artefacts.config), ("modules", artefacts.modules),
    ):
        console.print(f"{name:14} {value}", soft_wrap=True)
    return 0
