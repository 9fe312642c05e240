"""Captures of other recorders beside the trace: usbmon on the target, a logic analyser on the wire.

The captures that come with an answer have one shape: `of` reads what the recorder sent, `save` writes it as a file.
"""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from bench import paths as paths  # makes drivers and fixtures importable


class Capture(Protocol):
    """What the class `Capture` of a module in this package has."""

    @property
    def missing(self) -> str:
        """Why there is no capture, "" when there is one."""

    @property
    def lost(self) -> int:
        """How many of its events are missing."""

    @property
    def offset_ns(self) -> int:
        """The recorder's clock less the target's CLOCK_MONOTONIC."""

    @property
    def error_ns(self) -> int:
        """How far off `offset_ns` may be."""

    @property
    def source(self) -> Mapping[str, int]:
        """What was recorded, such as the numbers of a bus and a device on it."""

    @property
    def suffix(self) -> str:
        """Of the file that `save` writes."""

    @classmethod
    def of(cls, raw: Mapping[str, Any], big_endian: bool) -> Capture:
        """The capture that a recorder on a target of this byte order sent."""

    def save(self, path: Path) -> None:
        """Write it as a file that other programs read."""
