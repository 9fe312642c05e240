"""What an FPC1020 understands: opcodes, registers, sequences.   Ref: the vendor's driver, fpc1020_{common.c,regs.h}"""
from __future__ import annotations

import time
from typing import Any, Dict, List, Optional, Sequence

from drivers.fingerprint.wires import Wires

STATUS, INTERRUPT, INTERRUPT_CLEAR, ERROR_CLEAR = 0x14, 0x18, 0x1C, 0x38
QUERY, WAIT, SLEEP, DEEP_SLEEP, IDLE, CAPTURE, READ_IMAGE, SOFT_RESET = 0x20, 0x24, 0x28, 0x2C, 0x34, 0xC0, 0xC4, 0xF8
SIZE, PATTERN, DRIVE, ZONES, HWID = 0x54, 0x78, 0x8C, 0xD4, 0xFC
FINGER_DOWN, ERROR, NEW_DATA, DONE = 0x01, 0x04, 0x20, 0x80
IDLE_MASK = 0x0E
DRIVE_OFF = 0x04

# HWID → what is printed on the part, rows, columns.
PARTS = {
    0x020A: ("FPC1020A", 192, 192), 0x021A: ("FPC1021A", 160, 160), 0x021B: ("FPC1021B", 160, 160),
    0x150A: ("FPC1150A", 208, 80), 0x140A: ("FPC1140A", 192, 56), 0x0111: ("FPC1022", 112, 88),
}

# Set-up of the vendor's test modes: register, value.
_TEST = ((DRIVE, b"\x04"), (0xA0, b"\x00\x00"), (0x6C, b"\x14"), (0x90, b"\x20"),
         (0x68, b"\x1e\x1e\x1e\x1e\x2d\x2d\x2d\x2d"))
PATTERNS = {"checkerboard": b"\xaa\x55", "inverted": b"\x55\xaa", "ones": b"\xff\xff", "zeros": b"\x00\x00"}

_HIGH_S, _LOW_S, _SETTLE_S = 100e-6, 1000e-6, 1250e-6  # of a reset, by the vendor's driver


class SensorError(OSError):
    """The sensor reported an error, or answered what it should not."""


class Fpc1020:
    """A sensor on its wires."""

    def __init__(self, wires: Wires) -> None:
        self.wires = wires

    def reset(self) -> Dict[str, Any]:
        """The reset sequence; levels of the interrupt line and what the interrupt register showed, twice.

        `irq_s` is the time from the pin's rise to the interrupt line's, or None.
        """
        self.wires.forget_edges()
        for high, hold in ((True, _HIGH_S), (False, _LOW_S), (True, _SETTLE_S)):
            self.wires.set_reset(high)
            risen = time.monotonic_ns()
            _wait(hold)
        edge = self.wires.wait_irq(self.wires.interrupt_s / 2)
        high = self.wires.irq()
        first, second = self.interrupt(), self.interrupt()
        return {"irq_high": high, "first": first, "second": second, "irq_low": not self.wires.irq(),
                "irq_s": None if edge is None else max(0, edge - risen) / 1e9}

    def soft_reset(self) -> None:
        """Reset by opcode, and its interrupt acknowledged."""
        self.wires.frame(bytes([SOFT_RESET]))
        self.interrupt()

    def register(self, opcode: int, length: int) -> bytes:
        """A register's bytes, most significant first."""
        return self.wires.frame(bytes([opcode]) + (b"\0" if opcode in (STATUS, 0xD0) else b""), length)

    def write(self, opcode: int, value: bytes) -> None:
        """Write a register."""
        self.wires.frame(bytes([opcode]) + value)

    def interrupt(self) -> int:
        """The interrupt register, which reading clears; the line falls."""
        return self.register(INTERRUPT_CLEAR, 1)[0]

    def status(self) -> int:
        """FPC_STATUS."""
        return self.register(STATUS, 1)[0]

    def hwid(self) -> int:
        """Which sensor it is."""
        return int.from_bytes(self.register(HWID, 2), "big")

    def identify(self) -> Dict[str, Any]:
        """HWID, and by the table the part, its rows and its columns ("" and 0 for one that is not in it)."""
        hwid = self.hwid()
        part, rows, columns = PARTS.get(hwid, ("", 0, 0))
        return {"hwid": hwid, "part": part, "rows": rows, "columns": columns}

    def command(self, opcode: int, timeout_s: Optional[float] = None) -> int:
        """Give a command and wait for its interrupt; the interrupt register.  Raises TimeoutError."""
        self.wires.forget_edges()
        self.wires.frame(bytes([opcode]))
        return self.done(self.wires.interrupt_s if timeout_s is None else timeout_s)

    def done(self, timeout_s: float) -> int:
        """Wait for the interrupt of a command that was given; the interrupt register.  Raises TimeoutError."""
        if self.wires.wait_irq(timeout_s) is None:
            raise TimeoutError("no interrupt within %.3f s" % timeout_s)
        return self.interrupt()

    def zones(self) -> int:
        """Which of twelve zones a finger covers, now."""
        self.command(QUERY)
        return int.from_bytes(self.register(ZONES, 2), "big") & 0x0FFF

    def set_pattern(self, pattern: str) -> None:
        """Show a test pattern instead of a finger from now on; a reset ends it."""
        for opcode, value in (*_TEST, (PATTERN, PATTERNS[pattern])):
            self.write(opcode, value)

    def capture(self, crop: Optional[Sequence[int]] = None, timeout_s: Optional[float] = None) -> bytes:
        """Capture, fetch, check for errors; pixels row by row.

        `crop`: row, rows, group of eight columns, groups. Raises TimeoutError, SensorError.
        """
        part = self.identify()
        row, rows, group, groups = crop or (0, part["rows"], 0, part["columns"] // 8)
        self.write(SIZE, bytes((row, rows, group, groups)))
        why = self.command(CAPTURE, timeout_s)
        if not why & NEW_DATA:
            raise SensorError(5, "a capture ended with interrupt %#04x" % why)
        pixels = self.wires.long_frame(bytes((READ_IMAGE, 0)), rows * groups * 8)
        why = self.interrupt()
        if why & ERROR:
            raise SensorError(5, "the FIFO ran empty: error %#04x" % self.register(ERROR_CLEAR, 1)[0])
        return pixels


def _wait(seconds: float) -> None:
    """At least so long: a short sleep, then the clock; time stamps need no more."""
    end = time.monotonic() + seconds
    time.sleep(seconds)
    while time.monotonic() < end:
        pass


def stuck_bytes(answers: List[int]) -> bool:
    """All answers are 0x00 or all are 0xff: nobody drives MISO."""
    return set(answers) in ({0x00}, {0xFF})
