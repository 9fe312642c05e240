"""The target as a rig holds it: one protocol, the twin and any labgrid board behind it, the agent's file."""
from __future__ import annotations

from bench import paths as paths  # makes drivers and fixtures importable
