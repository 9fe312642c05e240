"""Calls on an ELAN sensor through spidev: its lines are not used, its status is polled."""
from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Iterator
from typing import TypedDict

from drivers.agent.call import call
from drivers.uapi import spidev

START_CALIBRATION, CAPTURE, STATUS, HEIGHT, WIDTH, VERSION = 0x04, 0x01, 0x03, 0x08, 0x09, 0x0A
READ_LINE, SOFT_RESET, READ_REGISTER, WRITE_REGISTER = 0x10, 0x31, 0x40, 0x80
PROTECTION, GAIN = 0x00, 0x05
OPEN, READY = 0x5A, 0x04
_LINE_S = 0.1  # a line is ready within this


class Wiring(TypedDict, total=False):
    """Where the sensor is, and how it is read; `bus` and `device` are required."""

    bus: int
    device: int
    speed_hz: int
    chunk: int  # bytes per transfer of an image
    image_bits: int  # bits per word of an image's transfers


class Image(TypedDict):
    """The first lines of an image, 14 bits a pixel."""

    width: int
    pixels: list[int]


class ElanSensor:
    """A sensor on its bus."""

    def __init__(self, spi: spidev.Chip) -> None:
        self.spi = spi

    def query(self, opcode: int) -> int:
        """A command that is answered with one byte."""
        return self.spi.write_then_read(bytes([opcode]), 1)[0]

    def send(self, opcode: int) -> None:
        """A command without an answer."""
        self.spi.write_then_read(bytes([opcode]))

    def reset(self) -> None:
        """Reset, and make the registers writable."""
        self.send(SOFT_RESET)
        self.write(PROTECTION, OPEN)

    def read(self, register: int) -> int:
        """Read a register."""
        return self.query(READ_REGISTER | register)

    def write(self, register: int, value: int) -> None:
        """Write a register."""
        self.spi.write_then_read(bytes([WRITE_REGISTER | register, value]))

    def ready(self) -> bool:
        """A line of an image can be read."""
        return bool(self.spi.write_then_read(bytes([STATUS, 0xFF]), 1)[0] & READY)

    def capture(self, lines: int, width: int) -> list[int]:
        """The first lines of a new image, pixel by pixel.  Raises TimeoutError."""
        self.send(CAPTURE)
        pixels: list[int] = []
        for _ in range(lines):
            deadline = time.monotonic() + _LINE_S
            while not self.ready():
                if time.monotonic() > deadline:
                    raise TimeoutError(f"no line within {_LINE_S} s")
            pixels += struct.unpack(
                f">{width}H", self.spi.write_then_read_long(bytes([READ_LINE, 0]), 2 * width)
            )
        return pixels


@contextlib.contextmanager
def ready(wiring: Wiring) -> Iterator[ElanSensor]:
    """The sensor after a reset, its registers writable."""
    with spidev.opened(wiring["bus"], wiring["device"]) as fd:
        sensor = ElanSensor(
            spidev.Chip(
                fd,
                wiring.get("speed_hz", 1000000),
                wiring.get("chunk", 32),
                wiring.get("image_bits", 8),
            )
        )
        sensor.reset()
        yield sensor


@call
def identify(wiring: Wiring) -> dict[str, int]:
    """Version, height and width."""
    with ready(wiring) as sensor:
        return {
            "version": sensor.query(VERSION),
            "height": sensor.query(HEIGHT),
            "width": sensor.query(WIDTH),
        }


@call
def registers(wiring: Wiring, register: int, value: int) -> dict[str, int]:
    """A register after a reset ("first"), written, and after another reset ("again").

    "open": the protection.
    """
    with ready(wiring) as sensor:
        first, protection = sensor.read(register), sensor.read(PROTECTION)
        sensor.write(register, value)
        written = sensor.read(register)
        sensor.reset()
        return {
            "first": first,
            "open": protection,
            "written": written,
            "again": sensor.read(register),
        }


@call
def status(wiring: Wiring) -> dict[str, bool]:
    """Whether a line is ready: after a "reset", and after a capture ("captured")."""
    with ready(wiring) as sensor:
        before = sensor.ready()
        sensor.send(CAPTURE)
        return {"reset": before, "captured": sensor.ready()}


@call
def capture(wiring: Wiring, lines: int, calibrate: bool = True, gain: int = 0x6F) -> Image:
    """The first lines of an image, with the gain register set.  Raises TimeoutError."""
    with ready(wiring) as sensor:
        if calibrate:
            sensor.send(START_CALIBRATION)
        sensor.write(GAIN, gain)
        width = sensor.query(WIDTH)
        return {"width": width, "pixels": sensor.capture(lines, width)}
