"""The target's clock against the host's, from the times of frames in both directions."""
from __future__ import annotations

from dataclasses import dataclass

UNKNOWN_NS = 1 << 62


@dataclass
class Clock:
    """The target's CLOCK_MONOTONIC less the host's, within the bounds of all exchanges so far.

    A frame cannot arrive before it was sent: each direction gives one bound, regardless of the other. Two clocks drift
    apart, so that a bound gets wider as time goes by.
    """

    drift_ppm: int = 0
    low_ns: int = -UNKNOWN_NS
    high_ns: int = UNKNOWN_NS
    measured_ns: int = 0  # when, on the host's clock

    def exchanged(self, sent: int, received: int, answered: int, got: int) -> None:
        """A frame left the host at `sent` and came at `received`; the answer left at `answered` and came at `got`."""
        drift = self._drift(got)
        low, high = max(self.low_ns - drift, answered - got), min(self.high_ns + drift, received - sent)
        if low > high:  # one of the clocks was stopped or set: the old bounds are void
            low, high = answered - got, received - sent
        self.low_ns, self.high_ns, self.measured_ns = low, high, got

    def at(self, now: int) -> tuple[int, int]:
        """Offset and error [ns] at the host's time `now`."""
        return (self.low_ns + self.high_ns) // 2, (self.high_ns - self.low_ns + 1) // 2 + self._drift(now)

    def _drift(self, now: int) -> int:
        return abs(now - self.measured_ns) * self.drift_ppm // 1_000_000 if self.measured_ns else 0
