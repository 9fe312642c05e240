"""What the net checks set up and undo."""
from __future__ import annotations

from drivers.checks.endpoints import endpoints

__all__ = ["endpoints"]
