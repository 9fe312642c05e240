"""A board under test: its session with the agent, calls and answers, the channel they go over."""
from __future__ import annotations

from bench import paths as paths  # makes drivers and fixtures importable
from bench.rig.rig import Rig

__all__ = ["Rig"]
