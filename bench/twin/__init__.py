"""The twin: QEMU with the board's own chips modelled in Python."""
from __future__ import annotations

from bench.twin.machine import Twin

__all__ = ["Twin"]
