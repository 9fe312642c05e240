"""`bench doctor`: the prerequisites."""
from __future__ import annotations

import argparse
from typing import Any

from bench.cli import options as common


def add_parser(commands: Any) -> None:
    """Add the command."""
    common.add_command(commands, "doctor", "list the prerequisites, and how to install what is missing", "bench doctor")


def run(options: argparse.Namespace) -> int:
    """Examine and list them; 0 when none is missing."""
    from bench import paths
    from bench.setup import doctor as prerequisites

    found = prerequisites.examine(paths.HOME)
    print(prerequisites.text(found))
    return 0 if all(prerequisite.present for prerequisite in found) else 3
