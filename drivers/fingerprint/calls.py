"""Calls on an FPC1020 through spidev and gpiod.

`wiring` says where it is on its bus, `lines` how its reset and irq are called at their GPIO controllers.
"""
from __future__ import annotations

import contextlib
import hashlib
import time
from typing import Any, Dict, Generator, Iterator, List, Optional

from drivers.agent.call import call, listen
from drivers.fingerprint import fpc1020
from drivers.fingerprint.fpc1020 import Fpc1020
from drivers.fingerprint.wires import Line, Lines, Wires
from drivers.gpio.calls import find_line

CONSUMER = "bench"


@contextlib.contextmanager
def wired(bus: int, device: int, lines: Optional[Dict[str, str]] = None, speed_hz: int = 1000000, chunk: int = 32,
          image_bits: int = 8, interrupt_s: float = 0.1) -> Iterator[Wires]:
    """The sensor's wires for the length of a with statement; without `lines` (reset, irq) the bus only.

    `interrupt_s` is how long to wait for the interrupt of a command, which the vendor's driver gives 100 ms.
    """
    # Imported here: the host that reads this module for its calls has not the library.
    import spidev  # type: ignore[import-not-found,import-untyped,unused-ignore]

    with contextlib.ExitStack() as stack:
        spi = stack.enter_context(spidev.SpiDev(bus, device))
        held = Lines(*(stack.enter_context(_line(name, lines[name])) for name in ("reset", "irq"))) if lines else None
        yield Wires(spi.fileno(), held, speed_hz, chunk, image_bits, interrupt_s)


@contextlib.contextmanager
def _line(use: str, name: str) -> Iterator[Line]:
    """A line held for the length of a with statement: `reset` is driven high, `irq` is listened to."""
    import gpiod  # type: ignore[import-not-found,import-untyped,unused-ignore]

    line = gpiod.line
    path, offset = find_line(name)
    settings = {
        "reset": gpiod.LineSettings(direction=line.Direction.OUTPUT, output_value=line.Value.ACTIVE),
        "irq": gpiod.LineSettings(direction=line.Direction.INPUT, edge_detection=line.Edge.RISING),
    }
    with gpiod.request_lines(path, {offset: settings[use]}, CONSUMER) as request:
        yield Line(request, offset, {True: line.Value.ACTIVE, False: line.Value.INACTIVE})


@contextlib.contextmanager
def sensor(wiring: Dict[str, Any], lines: Dict[str, str]) -> Iterator[Fpc1020]:
    """The sensor, reset and ready; TimeoutError when it does not answer to the reset."""
    with wired(lines=lines, **wiring) as wires:
        one = Fpc1020(wires)
        found = one.reset()
        if not found["irq_high"]:
            raise TimeoutError("no interrupt after a reset: is there a sensor?")
        yield one


@call
def reset(wiring: Dict[str, Any], lines: Dict[str, str]) -> Dict[str, Any]:
    """The reset sequence: see fpc1020.Fpc1020.reset; and FPC_STATUS after it."""
    with wired(lines=lines, **wiring) as wires:
        one = Fpc1020(wires)
        return dict(one.reset(), status=one.status())


@call
def soft_reset(wiring: Dict[str, Any], lines: Dict[str, str]) -> Dict[str, Any]:
    """Write a register, reset by opcode, and read it again: {"before", "after", "status"}."""
    with sensor(wiring, lines) as one:
        one.write(fpc1020.PATTERN, b"\xaa\x55")
        before = one.register(fpc1020.PATTERN, 2)
        one.soft_reset()
        return {"before": before, "after": one.register(fpc1020.PATTERN, 2), "status": one.status()}


@call
def identify(wiring: Dict[str, Any], lines: Dict[str, str]) -> Dict[str, Any]:
    """HWID after a reset; part, rows and columns by the table."""
    with sensor(wiring, lines) as one:
        return one.identify()


@call
def answers(wiring: Dict[str, Any], lines: Dict[str, str]) -> Dict[str, Any]:
    """Whether anything answers on the bus: {"present", "hwid", "bytes"}; works without a sensor, too."""
    with wired(lines=lines, **wiring) as wires:
        one = Fpc1020(wires)
        found = one.reset()
        said = [found["first"], found["second"], one.status(), *one.register(fpc1020.HWID, 2)]
        return {"present": not fpc1020.stuck_bytes(said), "hwid": one.hwid(), "bytes": bytes(said)}


@call
def self_test(wiring: Dict[str, Any], lines: Dict[str, str]) -> Dict[str, Any]:
    """The vendor's self-test: reset, HWID, a capture's interrupt, its acknowledge, reset, status; "ok" when all fit."""
    with sensor(wiring, lines) as one:
        steps: Dict[str, Any] = {"known": bool(one.identify()["part"])}
        one.wires.forget_edges()
        one.wires.frame(bytes([fpc1020.CAPTURE]))
        steps["irq_high"] = one.wires.irq() or one.wires.wait_irq(one.wires.interrupt_s) is not None
        one.interrupt()
        steps["irq_low"] = not one.wires.irq()
        one.reset()
        steps["status"] = one.status() == 0x1E
        return dict(steps, ok=all(steps.values()))


@call
def zones(wiring: Dict[str, Any], lines: Dict[str, str]) -> int:
    """Which of twelve zones a finger covers."""
    with sensor(wiring, lines) as one:
        return one.zones()


@listen
def wait_for_finger(wiring: Dict[str, Any], lines: Dict[str, str], timeout_s: float = 1.0
                    ) -> Generator[None, None, Dict[str, Any]]:
    """Ask for a finger, be ready, wait for the interrupt; the kernel's time stamp of its edge, the register, the zones.

    Raises TimeoutError.
    """
    with sensor(wiring, lines) as one:
        one.wires.forget_edges()
        one.wires.frame(bytes([fpc1020.WAIT]))
        yield
        edge = one.wires.wait_irq(timeout_s)
        if edge is None:
            raise TimeoutError("no interrupt within %.3f s" % timeout_s)
        return {"edge_ns": edge, "interrupt": one.interrupt(), "zones": one.zones()}


@call
def capture(wiring: Dict[str, Any], lines: Dict[str, str], crop: Optional[List[int]] = None,
            pattern: str = "") -> Dict[str, Any]:
    """One image: {"rows", "columns", "pixels", "seconds"}; `pattern` shows a test pattern (see fpc1020.PATTERNS)."""
    with sensor(wiring, lines) as one:
        part = one.identify()
        if pattern:
            one.set_pattern(pattern)
        begun = time.monotonic()
        pixels = one.capture(crop)
        return {"rows": crop[1] if crop else part["rows"], "columns": crop[3] * 8 if crop else part["columns"],
                "pixels": pixels, "seconds": time.monotonic() - begun}


@call
def captures(wiring: Dict[str, Any], lines: Dict[str, str], count: int, crop: List[int]) -> Dict[str, Any]:
    """Many captures in a row of a part of the sensor; how many differed from the first one, and which it was."""
    with sensor(wiring, lines) as one:
        begun = time.monotonic()
        digests = [hashlib.sha256(one.capture(crop)).hexdigest() for _ in range(count)]
        return {"first": digests[0], "other": sum(digest != digests[0] for digest in digests),
                "edges_left": one.wires.forget_edges(), "seconds": time.monotonic() - begun}


@call
def sleep(wiring: Dict[str, Any], lines: Dict[str, str], deep: bool) -> Dict[str, int]:
    """Put the sensor to sleep and wake it again; the idle bits of FPC_STATUS awake, asleep and awake again."""
    with sensor(wiring, lines) as one:
        awake = one.status()
        one.wires.frame(bytes([fpc1020.DEEP_SLEEP if deep else fpc1020.SLEEP]))
        asleep = one.status()
        one.command(fpc1020.IDLE)
        return {"awake": awake & fpc1020.IDLE_MASK, "asleep": asleep & fpc1020.IDLE_MASK,
                "again": one.status() & fpc1020.IDLE_MASK}


@call
def reset_in_capture(wiring: Dict[str, Any], lines: Dict[str, str], crop: List[int]) -> Dict[str, Any]:
    """Begin a capture, reset the sensor at once, capture again; what the second one brought, and the status between."""
    with sensor(wiring, lines) as one:
        one.wires.frame(bytes([fpc1020.CAPTURE]))
        found = one.reset()
        status = one.status()
        return {"reset": found, "status": status, "pixels": one.capture(crop, 1.0)}


@call
def register(wiring: Dict[str, Any], lines: Dict[str, str], opcode: int, value: bytes) -> Dict[str, bytes]:
    """Write a register and read it; what it was, and what it is."""
    with sensor(wiring, lines) as one:
        was = one.register(opcode, len(value))
        one.write(opcode, value)
        return {"was": was, "now": one.register(opcode, len(value))}


@call
def read_too_much(wiring: Dict[str, Any], lines: Dict[str, str], crop: List[int], more: int) -> Dict[str, int]:
    """Fetch `more` bytes than were captured; the interrupt and error registers that tell of it."""
    with sensor(wiring, lines) as one:
        one.write(fpc1020.SIZE, bytes(crop))
        one.command(fpc1020.CAPTURE)
        one.wires.long_frame(bytes((fpc1020.READ_IMAGE, 0)), crop[1] * crop[3] * 8 + more)
        return {"interrupt": one.interrupt(), "error": one.register(fpc1020.ERROR_CLEAR, 1)[0]}


@call
def idle_edges(wiring: Dict[str, Any], lines: Dict[str, str], seconds: float) -> int:
    """Rising edges of the interrupt line within so long, while the sensor has nothing to say."""
    with sensor(wiring, lines) as one:
        one.wires.forget_edges()
        edges = 0
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            edges += one.wires.wait_irq(left) is not None
        return edges
