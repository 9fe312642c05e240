"""What a time line is made of: items on lanes, each lane with the clock that stamped it."""
from __future__ import annotations

from dataclasses import dataclass, field

from bench.store import CallRecord
from bench.trace.text import seconds_text


@dataclass(frozen=True)
class Item:
    """Something on a lane: a moment (`end` None) or a span, ns of the host's clock from the check's start."""

    start: int
    end: int | None
    label: str
    tip: str
    kind: str  # call, event, probe, irq, wire, usb, log, console
    bad: bool = False


@dataclass(frozen=True)
class Clock:
    """The clock of a lane, and how far its times may be off those of the target's CLOCK_MONOTONIC; None: unknown."""

    name: str
    error_ns: int | None = 0

    def __str__(self) -> str:
        if self.error_ns is None:
            return "±?"
        return f"±{seconds_text(float(f'{self.error_ns / 1e9:.2g}'))}" if self.error_ns else "±0"


MONO = Clock("the target's CLOCK_MONOTONIC, which stamps kernel events and calls: the line's own clock")
Lanes = tuple[tuple[str, tuple[Item, ...]], ...]


@dataclass
class Filling:
    """Lanes while they are being filled."""

    items: dict[str, list[Item]] = field(default_factory=dict)
    clocks: dict[str, Clock] = field(default_factory=dict)

    def add(self, lane: str, item: Item, clock: Clock = MONO) -> None:
        """Put `item` on a lane, whose clock is the worst that is known of it."""
        self.items.setdefault(lane, []).append(item)
        before = self.clocks.get(lane, clock)
        unknown = None in (before.error_ns, clock.error_ns)
        self.clocks[lane] = Clock(clock.name, None if unknown else max(before.error_ns or 0, clock.error_ns or 0))


def host(ts: int, call: CallRecord | None, zero: int) -> int:
    """A time of the target's CLOCK_MONOTONIC as ns of the host's from `zero`, by the clocks as `call` knew them."""
    return ts - (call.clock_offset_ns if call else 0) - zero
