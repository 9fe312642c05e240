"""A sensor's reset and irq lines, held through gpiod; edges carry the kernel's time stamp."""
from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple


class Line:
    """A line that `request` (of the gpiod library) holds.

    `values` are the library's values for high and low.
    """

    def __init__(self, request: Any, offset: int, values: dict[bool, Any]) -> None:
        self.request, self._offset, self._values = request, offset, values

    def set(self, high: bool) -> None:
        """Drive it."""
        self.request.set_value(self._offset, self._values[high])

    def high(self) -> bool:
        """Its level."""
        return bool(self.request.get_value(self._offset).value)

    def wait_edge(self, timeout_s: float) -> int | None:
        """Wait for an edge; its time stamp [ns, CLOCK_MONOTONIC], None at the timeout."""
        if not self.request.wait_edge_events(timedelta(seconds=timeout_s)):
            return None
        return int(self.request.read_edge_events(1)[0].timestamp_ns)

    def drain_edges(self) -> int:
        """Drop the edges that are queued; how many there were."""
        dropped = 0
        while self.request.wait_edge_events(timedelta(0)):
            dropped += len(self.request.read_edge_events())
        return dropped


class Lines(NamedTuple):
    """The sensor's lines besides its bus."""

    reset: Line
    irq: Line
