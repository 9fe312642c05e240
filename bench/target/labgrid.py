"""What labgrid needs of the bench: environment files name this module in `imports:`, which registers its classes.

A module of its own, since importing labgrid takes half a second, which only a command that holds a board should pay.
"""
from __future__ import annotations

from bench.target.strategy import BenchStrategy
from bench.target.twin_driver import TwinDriver

__all__ = ["BenchStrategy", "TwinDriver"]
