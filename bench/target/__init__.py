"""What labgrid needs of us: a driver that holds the twin, a strategy, the agent's file.

Environment files name this module in `imports:`, which registers the classes with labgrid.
"""
from __future__ import annotations

from bench import paths as paths  # makes drivers and fixtures importable
from bench.target.console import ConsoleLog
from bench.target.strategy import BenchStrategy
from bench.target.twin_driver import TwinDriver

__all__ = ["BenchStrategy", "ConsoleLog", "TwinDriver"]
