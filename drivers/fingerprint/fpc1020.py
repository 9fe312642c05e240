"""An FPC1020's opcodes, registers and command sequences.

Ref: the vendor's driver, fpc1020_{common.c,regs.h}
"""
from __future__ import annotations

import errno
import time
from collections.abc import Sequence
from typing import NamedTuple, TypedDict

from drivers.fingerprint.lines import Lines
from drivers.uapi.spidev import Chip

STATUS, INTERRUPT, INTERRUPT_CLEAR, ERROR_CLEAR = 0x14, 0x18, 0x1C, 0x38
QUERY, WAIT, SLEEP, DEEP_SLEEP, IDLE = 0x20, 0x24, 0x28, 0x2C, 0x34
CAPTURE, READ_IMAGE, SOFT_RESET = 0xC0, 0xC4, 0xF8
SIZE, PATTERN, DRIVE, ZONES, HWID = 0x54, 0x78, 0x8C, 0xD4, 0xFC
FINGER_DOWN, ERROR, NEW_DATA, DONE = 0x01, 0x04, 0x20, 0x80
IDLE_MASK = 0x0E
DRIVE_OFF = 0x04
_DUMMY = (STATUS, 0xD0)  # reads of these have a dummy byte after the opcode

# Register writes of the vendor's test modes.
_TEST = (
    (DRIVE, b"\x04"),
    (0xA0, b"\x00\x00"),
    (0x6C, b"\x14"),
    (0x90, b"\x20"),
    (0x68, b"\x1e\x1e\x1e\x1e\x2d\x2d\x2d\x2d"),
)
PATTERNS = {
    "checkerboard": b"\xaa\x55",
    "inverted": b"\x55\xaa",
    "ones": b"\xff\xff",
    "zeros": b"\x00\x00",
}

_HIGH_S, _LOW_S, _SETTLE_S = 100e-6, 1000e-6, 1250e-6  # of a reset, by the vendor's driver


class SensorError(OSError):
    """The sensor reported an error, or sent an unexpected answer."""


class Part(NamedTuple):
    """What is printed on the part, and the size of its image."""

    name: str
    rows: int
    columns: int


PARTS = {
    0x020A: Part("FPC1020A", 192, 192),
    0x021A: Part("FPC1021A", 160, 160),
    0x021B: Part("FPC1021B", 160, 160),
    0x150A: Part("FPC1150A", 208, 80),
    0x140A: Part("FPC1140A", 192, 56),
    0x0111: Part("FPC1022", 112, 88),
}


class Identity(TypedDict):
    """HWID, and the part that it stands for: "" and 0 for a HWID that PARTS does not have."""

    hwid: int
    part: str
    rows: int
    columns: int


class Reset(TypedDict):
    """Levels of the interrupt line around a reset, and two reads of the interrupt register.

    `irq_s` is the time from the rise of RST_N to the rise of IRQ [s], None when no edge came.
    """

    irq_high: bool
    first: int
    second: int
    irq_low: bool
    irq_s: float | None


class ResetStatus(Reset):
    """A reset, and FPC_STATUS after it."""

    status: int


class Fpc1020:
    """A sensor on its bus and lines.  `interrupt_s`: how long to wait for a command's interrupt."""

    def __init__(self, spi: Chip, lines: Lines, interrupt_s: float = 0.1) -> None:
        self.spi, self.lines, self.interrupt_s = spi, lines, interrupt_s

    def reset(self) -> Reset:
        """The reset sequence by RST_N."""
        self.lines.irq.drain_edges()
        for high, hold in ((True, _HIGH_S), (False, _LOW_S), (True, _SETTLE_S)):
            self.lines.reset.set(high)
            risen = time.monotonic_ns()
            _wait(hold)
        edge = self.lines.irq.wait_edge(self.interrupt_s / 2)
        high = self.lines.irq.high()
        first, second = self.interrupt(), self.interrupt()
        return {
            "irq_high": high,
            "first": first,
            "second": second,
            "irq_low": not self.lines.irq.high(),
            "irq_s": None if edge is None else max(0, edge - risen) / 1e9,
        }

    def soft_reset(self) -> None:
        """Reset by opcode, and clear its interrupt."""
        self.send(SOFT_RESET)
        self.interrupt()

    def send(self, opcode: int) -> None:
        """Send an opcode; wait for nothing."""
        self.spi.write_then_read(bytes([opcode]))

    def register(self, opcode: int, length: int) -> bytes:
        """A register's bytes, most significant first."""
        return self.spi.write_then_read(
            bytes([opcode]) + (b"\0" if opcode in _DUMMY else b""), length
        )

    def write(self, opcode: int, value: bytes) -> None:
        """Write a register."""
        self.spi.write_then_read(bytes([opcode]) + value)

    def interrupt(self) -> int:
        """Read the interrupt register, which clears it; IRQ falls."""
        return self.register(INTERRUPT_CLEAR, 1)[0]

    def status(self) -> int:
        """FPC_STATUS."""
        return self.register(STATUS, 1)[0]

    def hwid(self) -> int:
        """The hardware id."""
        return int.from_bytes(self.register(HWID, 2), "big")

    def identify(self) -> Identity:
        """HWID, and the part by the table."""
        hwid = self.hwid()
        part, rows, columns = PARTS.get(hwid, Part("", 0, 0))
        return {"hwid": hwid, "part": part, "rows": rows, "columns": columns}

    def command(self, opcode: int, timeout_s: float | None = None) -> int:
        """Send a command and wait for its interrupt.

        The interrupt register.  Raises TimeoutError.
        """
        self.lines.irq.drain_edges()
        self.send(opcode)
        timeout_s = self.interrupt_s if timeout_s is None else timeout_s
        if self.lines.irq.wait_edge(timeout_s) is None:
            raise TimeoutError(f"no interrupt within {timeout_s:.3f} s of command {opcode:#04x}")
        return self.interrupt()

    def zones(self) -> int:
        """Which of twelve zones a finger covers, now."""
        self.command(QUERY)
        return int.from_bytes(self.register(ZONES, 2), "big") & 0x0FFF

    def set_pattern(self, pattern: str) -> None:
        """Show a test pattern instead of a finger until the next reset."""
        for opcode, value in (*_TEST, (PATTERN, PATTERNS[pattern])):
            self.write(opcode, value)

    def capture(self, crop: Sequence[int] | None = None, timeout_s: float | None = None) -> bytes:
        """Capture, read out, check for errors; pixels row by row.

        `crop`: row, rows, group of eight columns, groups.  Raises TimeoutError, SensorError.
        """
        part = self.identify()
        row, rows, group, groups = crop or (0, part["rows"], 0, part["columns"] // 8)
        self.write(SIZE, bytes((row, rows, group, groups)))
        cause = self.command(CAPTURE, timeout_s)
        if not cause & NEW_DATA:
            raise SensorError(errno.EIO, f"a capture ended with interrupt {cause:#04x}")
        pixels = self.spi.write_then_read_long(bytes((READ_IMAGE, 0)), rows * groups * 8)
        cause = self.interrupt()
        if cause & ERROR:
            raise SensorError(
                errno.EIO, f"FIFO underflow: error {self.register(ERROR_CLEAR, 1)[0]:#04x}"
            )
        return pixels


def _wait(seconds: float) -> None:
    """Wait at least `seconds`: sleep, then spin on the clock for the rest."""
    end = time.monotonic() + seconds
    time.sleep(seconds)
    while time.monotonic() < end:
        pass


def stuck_bytes(answers: list[int]) -> bool:
    """All answers are 0x00, or all are 0xff: nothing drives MISO."""
    return set(answers) in ({0x00}, {0xFF})
