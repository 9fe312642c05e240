"""What the fingerprint checks use: fingers on the sensor, and a place for its pictures."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from drivers.fingerprint.checks.image import png


@pytest.fixture
def finger(fpc1020_chip: Any) -> Iterator[Callable[[int | None], None]]:
    """Put a finger on the sensor, by its seed, or lift it (None); lifted at the end."""
    fpc1020_chip.finger(None)
    yield fpc1020_chip.finger
    fpc1020_chip.finger(None)


@pytest.fixture
def slow_capture(fpc1020_chip: Any) -> Iterator[Callable[[float], None]]:
    """Let a capture take this many seconds."""

    def slow(seconds: float) -> None:
        fpc1020_chip.capture_s = seconds

    yield slow
    fpc1020_chip.capture_s = 0.0


@pytest.fixture
def keep_picture(keep_file: Callable[[str, bytes], None]) -> Callable[..., None]:
    """Keep a picture with the check's record: keep_picture(pixels, rows, columns, name)."""
    return lambda pixels, rows, columns, name: keep_file(f"{name}.png", png(pixels, rows, columns))
