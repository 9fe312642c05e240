"""What the fingerprint checks use: fingers on the sensor, and a place for its pictures."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.fingerprint.picture import png


@pytest.fixture
def finger(fpc1020_chip: Any) -> Iterator[Callable[[int | None], None]]:
    """Lay a finger on the sensor, by its seed, or lift it (None); lifted again afterwards."""
    fpc1020_chip.finger(None)
    yield fpc1020_chip.finger
    fpc1020_chip.finger(None)


@pytest.fixture
def slow_capture(fpc1020_chip: Any) -> Iterator[Callable[[float], None]]:
    """Let a capture take that many seconds."""
    def slow(seconds: float) -> None:
        fpc1020_chip.capture_s = seconds

    yield slow
    fpc1020_chip.capture_s = 0.0


@pytest.fixture
def keep_picture(request: pytest.FixtureRequest) -> Callable[..., Path]:
    """Write a picture into the record's folder: keep_picture(pixels, rows, columns, name)."""
    plugin = request.config.pluginmanager.get_plugin("bench-checks")
    folder = Path(plugin.folder) / "pictures"  # type: ignore[union-attr]

    def keep(pixels: bytes, rows: int, columns: int, name: str) -> Path:
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}.png"
        path.write_bytes(png(pixels, rows, columns))
        return path

    return keep
