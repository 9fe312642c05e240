"""The command line: `bench accept --board twin210`, and what goes with it."""
from __future__ import annotations

from bench.cli.main import main

__all__ = ["main"]
