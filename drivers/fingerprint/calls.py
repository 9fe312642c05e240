"""Calls on an FPC1020 through spidev and gpiod.

`wiring` says where it is on its bus, `lines` the names of its reset and irq lines at their GPIO
controllers.
"""
from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Generator, Iterator

from drivers.agent.call import call, listen
from drivers.fingerprint import fpc1020
from drivers.fingerprint.fpc1020 import Fpc1020
from drivers.fingerprint.lines import Line, Lines
from drivers.fingerprint.types import AfterReset, Finger, Image, Probed, Repeated, Wiring
from drivers.uapi import spidev
from drivers.uapi.gpio import find_line

CONSUMER = "bench"


@contextlib.contextmanager
def opened(wiring: Wiring, lines: dict[str, str]) -> Iterator[Fpc1020]:
    """The sensor with its bus and lines open, in whatever state it is."""
    with contextlib.ExitStack() as stack:
        fd = stack.enter_context(spidev.opened(wiring["bus"], wiring["device"]))
        reset_line, irq = (stack.enter_context(_line(use, lines[use])) for use in ("reset", "irq"))
        spi = spidev.Chip(
            fd,
            wiring.get("speed_hz", 1000000),
            wiring.get("chunk", 32),
            wiring.get("image_bits", 8),
        )
        yield Fpc1020(spi, Lines(reset_line, irq), wiring.get("interrupt_s", 0.1))


@contextlib.contextmanager
def _line(use: str, name: str) -> Iterator[Line]:
    """A requested line: `reset` is an output, high; `irq` is an input with rising edges."""
    # Imported here: the host imports this module for its calls and need not have the library.
    import gpiod  # type: ignore[import-not-found,import-untyped,unused-ignore]

    line = gpiod.line
    path, offset = find_line(name)
    settings = {
        "reset": gpiod.LineSettings(
            direction=line.Direction.OUTPUT, output_value=line.Value.ACTIVE
        ),
        "irq": gpiod.LineSettings(direction=line.Direction.INPUT, edge_detection=line.Edge.RISING),
    }
    with gpiod.request_lines(path, {offset: settings[use]}, CONSUMER) as request:
        yield Line(request, offset, {True: line.Value.ACTIVE, False: line.Value.INACTIVE})


@contextlib.contextmanager
def ready(wiring: Wiring, lines: dict[str, str]) -> Iterator[Fpc1020]:
    """The sensor after a reset.  Raises TimeoutError when the reset raises no interrupt."""
    with opened(wiring, lines) as sensor:
        if not sensor.reset()["irq_high"]:
            raise TimeoutError("no interrupt after a reset: is there a sensor?")
        yield sensor


@call
def reset(wiring: Wiring, lines: dict[str, str]) -> fpc1020.ResetStatus:
    """The reset sequence, and FPC_STATUS after it."""
    with opened(wiring, lines) as sensor:
        return {**sensor.reset(), "status": sensor.status()}


@call
def soft_reset(wiring: Wiring, lines: dict[str, str]) -> dict[str, bytes | int]:
    """Write a register, reset by opcode, read the register: {"before", "after", "status"}."""
    with ready(wiring, lines) as sensor:
        sensor.write(fpc1020.PATTERN, b"\xaa\x55")
        before = sensor.register(fpc1020.PATTERN, 2)
        sensor.soft_reset()
        return {
            "before": before,
            "after": sensor.register(fpc1020.PATTERN, 2),
            "status": sensor.status(),
        }


@call
def identify(wiring: Wiring, lines: dict[str, str]) -> fpc1020.Identity:
    """HWID after a reset, and the part by the table."""
    with ready(wiring, lines) as sensor:
        return sensor.identify()


@call
def probe(wiring: Wiring, lines: dict[str, str]) -> Probed:
    """Whether anything answers on the bus; works without a sensor, too."""
    with opened(wiring, lines) as sensor:
        levels = sensor.reset()
        read = [
            levels["first"],
            levels["second"],
            sensor.status(),
            *sensor.register(fpc1020.HWID, 2),
        ]
        return {
            "present": not fpc1020.stuck_bytes(read),
            "hwid": sensor.hwid(),
            "bytes": bytes(read),
        }


@call
def self_test(wiring: Wiring, lines: dict[str, str]) -> dict[str, bool]:
    """The vendor's self-test: reset, HWID, a capture's interrupt, its clearing, reset, status.

    "ok": all passed.
    """
    with ready(wiring, lines) as sensor:
        steps = {"known": bool(sensor.identify()["part"])}
        sensor.lines.irq.drain_edges()
        sensor.send(fpc1020.CAPTURE)
        steps["irq_high"] = (
            sensor.lines.irq.high() or sensor.lines.irq.wait_edge(sensor.interrupt_s) is not None
        )
        sensor.interrupt()
        steps["irq_low"] = not sensor.lines.irq.high()
        sensor.reset()
        steps["status"] = sensor.status() == 0x1E
        return {**steps, "ok": all(steps.values())}


@call
def zones(wiring: Wiring, lines: dict[str, str]) -> int:
    """Which of twelve zones a finger covers."""
    with ready(wiring, lines) as sensor:
        return sensor.zones()


@listen
def wait_for_finger(
    wiring: Wiring, lines: dict[str, str], timeout_s: float = 1.0
) -> Generator[None, None, Finger]:
    """Wait for the finger interrupt.

    Ready when the sensor looks for a finger.  Raises TimeoutError.
    """
    with ready(wiring, lines) as sensor:
        sensor.lines.irq.drain_edges()
        sensor.send(fpc1020.WAIT)
        yield
        edge = sensor.lines.irq.wait_edge(timeout_s)
        if edge is None:
            raise TimeoutError(f"no interrupt within {timeout_s:.3f} s")
        return {"edge_ns": edge, "interrupt": sensor.interrupt(), "zones": sensor.zones()}


@call
def capture(
    wiring: Wiring, lines: dict[str, str], crop: list[int] | None = None, pattern: str = ""
) -> Image:
    """One image; `crop` as in Fpc1020.capture, `pattern` shows a test pattern (see
    fpc1020.PATTERNS).
    """
    with ready(wiring, lines) as sensor:
        part = sensor.identify()
        if pattern:
            sensor.set_pattern(pattern)
        begun = time.monotonic()
        pixels = sensor.capture(crop)
        return {
            "rows": crop[1] if crop else part["rows"],
            "columns": crop[3] * 8 if crop else part["columns"],
            "pixels": pixels,
            "seconds": time.monotonic() - begun,
        }


@call
def repeat_capture(wiring: Wiring, lines: dict[str, str], count: int, crop: list[int]) -> Repeated:
    """`count` captures in a row, compared with the first."""
    with ready(wiring, lines) as sensor:
        begun = time.monotonic()
        digests = [hashlib.sha256(sensor.capture(crop)).hexdigest() for _ in range(count)]
        return {
            "first": digests[0],
            "other": sum(digest != digests[0] for digest in digests),
            "edges_left": sensor.lines.irq.drain_edges(),
            "seconds": time.monotonic() - begun,
        }


@call
def sleep(wiring: Wiring, lines: dict[str, str], deep: bool) -> dict[str, int]:
    """Sleep (or deep sleep) and wake.

    FPC_STATUS's idle bits "awake", "asleep" and awake "again".
    """
    with ready(wiring, lines) as sensor:
        awake = sensor.status()
        sensor.send(fpc1020.DEEP_SLEEP if deep else fpc1020.SLEEP)
        asleep = sensor.status()
        sensor.command(fpc1020.IDLE)
        return {
            "awake": awake & fpc1020.IDLE_MASK,
            "asleep": asleep & fpc1020.IDLE_MASK,
            "again": sensor.status() & fpc1020.IDLE_MASK,
        }


@call
def reset_in_capture(wiring: Wiring, lines: dict[str, str], crop: list[int]) -> AfterReset:
    """Reset the sensor during a capture, then capture again."""
    with ready(wiring, lines) as sensor:
        sensor.send(fpc1020.CAPTURE)
        levels = sensor.reset()
        status = sensor.status()
        return {"reset": levels, "status": status, "pixels": sensor.capture(crop, 1.0)}


@call
def register(wiring: Wiring, lines: dict[str, str], opcode: int, value: bytes) -> dict[str, bytes]:
    """Write a register; what it "was" before, and what it is "now"."""
    with ready(wiring, lines) as sensor:
        was = sensor.register(opcode, len(value))
        sensor.write(opcode, value)
        return {"was": was, "now": sensor.register(opcode, len(value))}


@call
def underflow(wiring: Wiring, lines: dict[str, str], crop: list[int], more: int) -> dict[str, int]:
    """Read `more` bytes than were captured; the "interrupt" and "error" registers after that."""
    with ready(wiring, lines) as sensor:
        sensor.write(fpc1020.SIZE, bytes(crop))
        sensor.command(fpc1020.CAPTURE)
        sensor.spi.write_then_read_long(
            bytes((fpc1020.READ_IMAGE, 0)), crop[1] * crop[3] * 8 + more
        )
        return {
            "interrupt": sensor.interrupt(),
            "error": sensor.register(fpc1020.ERROR_CLEAR, 1)[0],
        }


@call
def idle_edges(wiring: Wiring, lines: dict[str, str], seconds: float) -> int:
    """Rising edges of an idle sensor's interrupt line within `seconds`."""
    with ready(wiring, lines) as sensor:
        sensor.lines.irq.drain_edges()
        edges = 0
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            edges += sensor.lines.irq.wait_edge(left) is not None
        return edges
