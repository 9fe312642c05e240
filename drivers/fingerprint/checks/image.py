"""Grey pictures: statistics that accept or reject a sensor, and PNG files of them.

Ref: RFC 2083
"""
from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Statistics:
    """Of a picture of 8-bit pixels: `contrast` is between the 5th and the 95th of a hundred levels.

    `dead` counts pixels far from the middle of their neighbours; `dead_columns` and `dead_rows`
    list the lines most of whose pixels are. `noise` is the standard deviation.
    """

    mean: float
    noise: float
    contrast: int
    dead: int
    dead_columns: list[int]
    dead_rows: list[int]


def statistics(pixels: bytes, rows: int, columns: int, far: int = 60) -> Statistics:
    """Measure a picture.

    `far` levels from the median of its eight neighbours a pixel counts as dead.
    """
    if len(pixels) != rows * columns:
        raise ValueError("%d pixels are not %d x %d" % (len(pixels), rows, columns))
    mean = sum(pixels) / len(pixels)
    noise = (sum((value - mean) ** 2 for value in pixels) / len(pixels)) ** 0.5
    ordered = sorted(pixels)
    contrast = ordered[len(ordered) * 95 // 100] - ordered[len(ordered) * 5 // 100]
    dead = [
        (row, column)
        for row in range(rows)
        for column in range(columns)
        if _is_dead(pixels, rows, columns, row, column, far)
    ]
    by_column = _lines([column for _, column in dead], rows)
    by_row = _lines([row for row, _ in dead], columns)
    return Statistics(mean, noise, contrast, len(dead), by_column, by_row)


def differences(first: bytes, second: bytes) -> int:
    """Pixels in which two pictures differ; all of them when their sizes do."""
    if len(first) != len(second):
        return max(len(first), len(second))
    return sum(a != b for a, b in zip(first, second))


def png(pixels: bytes, rows: int, columns: int) -> bytes:
    """The picture as a PNG file of 8-bit grey."""
    lines = b"".join(b"\0" + pixels[row * columns : (row + 1) * columns] for row in range(rows))
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    )


def _is_dead(pixels: bytes, rows: int, columns: int, row: int, column: int, far: int) -> bool:
    value = pixels[row * columns + column]
    # Most pixels are near the one beside them: nothing to sort for those.
    beside = pixels[row * columns + (column - 1 if column else 1)]
    above = pixels[(row - 1 if row else 1) * columns + column]
    if abs(value - beside) <= far and abs(value - above) <= far:
        return False
    around = sorted(
        pixels[y * columns + x]
        for y in range(max(0, row - 1), min(rows, row + 2))
        for x in range(max(0, column - 1), min(columns, column + 2))
        if (y, x) != (row, column)
    )
    return abs(value - around[len(around) // 2]) > far


def _lines(places: list[int], length: int) -> list[int]:
    return sorted(place for place in set(places) if places.count(place) > length // 2)
