"""The devices of a board as its agent last listed them: the only source while the board is off.

Each run that has the board list its devices keeps the list in the cache folder, for the next collection to read.
"""
from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from bench import setup
from bench.board import Board
from bench.rig import Rig
from bench.setup.cache import digest

CALL = ("lifecycle", "devices")


class DeviceList:
    """`listed` is what was known before the board ran, None for nothing; `found` what the running board has, by id."""

    def __init__(self, listed: list[dict[str, Any]] | None) -> None:
        self.listed = None if listed is None else {device["id"]: device for device in listed}
        self.found: dict[str, dict[str, Any]] | None = None

    def read(self, rig: Rig) -> dict[str, dict[str, Any]]:
        """The devices of the running board, read once and kept for the next run.  Raises BenchError."""
        if self.found is not None:
            return self.found
        exerciser, call = CALL
        devices = getattr(rig.exerciser(exerciser), call)().value
        self.found = found = {device["id"]: device for device in devices}
        if found != self.listed:
            save(rig.board, devices)
        return found

    def unlisted(self) -> set[str]:
        """The ids of the devices that the running board has and the list has not."""
        return set(self.found or ()) - set(self.listed or ())


def load(board: Board) -> list[dict[str, Any]] | None:
    """The list that the last run kept; None when there is none, or none that can be read."""
    try:
        devices = json.loads(path(board).read_text())
    except (OSError, ValueError):
        return None
    return devices if isinstance(devices, list) else None


def save(board: Board, devices: list[dict[str, Any]]) -> None:
    """Keep the list; a cache folder that cannot be written keeps none."""
    final = path(board)
    aside = final.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        final.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(devices))
        aside.replace(final)  # workers save at the same time; each leaves a whole list


def path(board: Board) -> Path:
    """Where the list of a board is kept."""
    return setup.cache_folder() / "devices" / f"{board.name}-{digest(str(board.folder))}.json"
