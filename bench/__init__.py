"""A hardware-in-the-loop test bench for the Linux drivers of embedded boards.

    from bench import Rig
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.rig import Rig

__version__ = "0.1.0"
__all__ = ["Rig"]


def __getattr__(name: str) -> Any:
    """Import Rig when asked for: `bench.errors` alone must not load labgrid."""
    if name == "Rig":
        from bench import paths
        from bench.rig import Rig

        paths.extend()
        return Rig
    raise AttributeError(name)
