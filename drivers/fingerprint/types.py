"""What the calls take and return."""
from __future__ import annotations

from typing import TypedDict

from drivers.fingerprint import fpc1020


class Wiring(TypedDict, total=False):
    """Where the sensor is, and how it is read; `bus` and `device` are required."""

    bus: int
    device: int
    speed_hz: int
    chunk: int  # bytes per transfer of an image
    image_bits: int  # bits per word of an image's transfers
    interrupt_s: (
        float  # how long to wait for a command's interrupt; the vendor's driver waits 100 ms
    )


class Probed(TypedDict):
    """Whether a sensor answers, its HWID, and the bytes that came."""

    present: bool
    hwid: int
    bytes: bytes


class Finger(TypedDict):
    """The time stamp of the interrupt's edge [ns, CLOCK_MONOTONIC], the interrupt register, the
    zones covered.
    """

    edge_ns: int
    interrupt: int
    zones: int


class Image(TypedDict):
    """An image, row by row, and how long it took [s]."""

    rows: int
    columns: int
    pixels: bytes
    seconds: float


class Repeated(TypedDict):
    """SHA-256 of the first image, how many images differed from it, edges left over, and the time
    of all [s].
    """

    first: str
    other: int
    edges_left: int
    seconds: float


class AfterReset(TypedDict):
    """The reset during a capture, FPC_STATUS after it, and the pixels of the next capture."""

    reset: fpc1020.Reset
    status: int
    pixels: bytes
