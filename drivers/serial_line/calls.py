"""Calls on a serial port whose far end sends everything back: those of drivers/serial that move data."""
from __future__ import annotations

from drivers.serial.calls import bulk, echo, identity

__all__ = ["bulk", "echo", "identity"]
