"""Fixtures of the net checks."""
from __future__ import annotations

from drivers.checks.endpoints import endpoints

__all__ = ["endpoints"]
