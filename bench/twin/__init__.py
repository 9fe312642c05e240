"""The twin: QEMU with the board's own chips modelled in Python."""
from __future__ import annotations

from bench import paths as paths  # makes drivers and fixtures importable
from bench.twin.machine import Twin

__all__ = ["Twin"]
