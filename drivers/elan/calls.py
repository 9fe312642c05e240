"""Calls on an ELAN sensor through spidev: it has no lines that are used, its status is polled."""
from __future__ import annotations

import contextlib
import struct
import time
from typing import Any, Dict, Iterator, List

from drivers.agent.call import call
from drivers.fingerprint.calls import wired
from drivers.fingerprint.wires import Wires

START_CALIBRATION, CAPTURE, STATUS, HEIGHT, WIDTH, VERSION = 0x04, 0x01, 0x03, 0x08, 0x09, 0x0A
READ_LINE, SOFT_RESET, READ_REGISTER, WRITE_REGISTER = 0x10, 0x31, 0x40, 0x80
PROTECTION, GAIN = 0x00, 0x05
OPEN, READY = 0x5A, 0x04
_LINE_S = 0.1  # a line is ready within this


class ElanSensor:
    """A sensor on its wires."""

    def __init__(self, wires: Wires) -> None:
        self.wires = wires

    def ask(self, opcode: int) -> int:
        """A command that answers with one byte."""
        return self.wires.frame(bytes([opcode]), 1)[0]

    def start(self) -> None:
        """Reset, and make the registers writable."""
        self.wires.frame(bytes([SOFT_RESET]))
        self.write(PROTECTION, OPEN)

    def read(self, register: int) -> int:
        """A register."""
        return self.ask(READ_REGISTER | register)

    def write(self, register: int, value: int) -> None:
        """Write a register."""
        self.wires.frame(bytes([WRITE_REGISTER | register, value]))

    def ready(self) -> bool:
        """A line of an image can be read."""
        return bool(self.wires.frame(bytes([STATUS, 0xFF]), 1)[0] & READY)

    def capture(self, lines: int, width: int) -> List[int]:
        """The first lines of a new image, pixel by pixel.  Raises TimeoutError."""
        self.wires.frame(bytes([CAPTURE]))
        pixels: List[int] = []
        for _ in range(lines):
            deadline = time.monotonic() + _LINE_S
            while not self.ready():
                if time.monotonic() > deadline:
                    raise TimeoutError("no line within %.1f s" % _LINE_S)
            pixels += struct.unpack(">%dH" % width, self.wires.long_frame(bytes([READ_LINE, 0]), 2 * width))
        return pixels


@contextlib.contextmanager
def sensor(wiring: Dict[str, Any]) -> Iterator[ElanSensor]:
    """The sensor, reset, its registers open."""
    with wired(**wiring) as wires:
        one = ElanSensor(wires)
        one.start()
        yield one


@call
def identify(wiring: Dict[str, Any]) -> Dict[str, int]:
    """Version, height and width."""
    with sensor(wiring) as one:
        return {"version": one.ask(VERSION), "height": one.ask(HEIGHT), "width": one.ask(WIDTH)}


@call
def registers(wiring: Dict[str, Any], register: int, value: int) -> Dict[str, int]:
    """A register after a reset, after a write, and after another reset; the protection register while it is open."""
    with sensor(wiring) as one:
        found = {"first": one.read(register), "open": one.read(PROTECTION)}
        one.write(register, value)
        found["written"] = one.read(register)
        one.start()
        return dict(found, again=one.read(register))


@call
def status(wiring: Dict[str, Any]) -> Dict[str, bool]:
    """Whether a line is ready: after a reset, and after a capture."""
    with sensor(wiring) as one:
        before = one.ready()
        one.wires.frame(bytes([CAPTURE]))
        return {"reset": before, "captured": one.ready()}


@call
def capture(wiring: Dict[str, Any], lines: int, calibrate: bool = True, gain: int = 0x6F) -> Dict[str, Any]:
    """The first lines of an image: {"width", "pixels"}, 14 bits each.  Raises TimeoutError."""
    with sensor(wiring) as one:
        if calibrate:
            one.wires.frame(bytes([START_CALIBRATION]))
        one.write(GAIN, gain)
        width = one.ask(WIDTH)
        return {"width": width, "pixels": one.capture(lines, width)}
