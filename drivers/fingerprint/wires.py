"""A sensor's wires: frames on its bus, its reset line, its interrupt as an edge with the kernel's time stamp."""
from __future__ import annotations

import time
from datetime import timedelta
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from drivers.uapi.spidev import Message

_RX_BUFFER = 4096  # spidev.bufsiz: what one message may receive
_ALIGNED = 64  # each transfer begins there in it


class Line:
    """A line that `request` (of the gpiod library) holds; `values` are the library's words for high and low."""

    def __init__(self, request: Any, offset: int, values: Dict[bool, Any]) -> None:
        self.request, self._offset, self._values = request, offset, values

    def set(self, high: bool) -> None:
        """Drive it."""
        self.request.set_value(self._offset, self._values[high])

    def high(self) -> bool:
        """Its level."""
        return bool(self.request.get_value(self._offset).value)


class Lines(NamedTuple):
    """A sensor's lines besides its bus."""

    reset: Line
    irq: Line


class Wires:
    """An open spidev device `fd`, and the sensor's `lines` where it has them.

    `chunk` (bytes of a transfer) and `bits_per_word` say how an image is fetched: words wider than a byte cost the bus
    fewer accesses, and are put into order again here.
    """

    def __init__(self, fd: int, lines: Optional[Lines] = None, speed_hz: int = 1000000, chunk: int = 32,
                 bits_per_word: int = 8, interrupt_s: float = 0.1) -> None:
        self.fd, self.speed_hz, self.chunk, self.bits_per_word = fd, speed_hz, chunk, bits_per_word
        self.interrupt_s = interrupt_s
        self._lines = lines

    # The bus.

    def frame(self, sent: bytes, length: int = 0) -> bytes:
        """One frame: send, then receive `length` bytes with MOSI left alone."""
        transfers: List[Any] = [{"data": sent, "receive": False, "speed_hz": self.speed_hz}]
        if length:
            transfers.append({"length": length, "speed_hz": self.speed_hz})
        return Message(transfers).run(self.fd)[-1] or b""

    def long_frame(self, sent: bytes, length: int) -> bytes:
        """One frame that receives more than one message may: the chip stays selected from message to message."""
        first: List[Any] = [{"data": sent, "receive": False, "speed_hz": self.speed_hz}]
        got: List[bytes] = []
        left = length
        while left or first:
            sizes, left = self._sizes(left)
            transfers = first + [{"length": size, "speed_hz": self.speed_hz, "bits_per_word": bits}
                                 for size, bits in sizes]
            transfers[-1] = dict(transfers[-1], cs_change=int(bool(left)))
            received = Message(transfers).run(self.fd)[len(first):]
            got += [_in_order(data or b"", bits) for data, (_, bits) in zip(received, sizes)]
            first = []
        return b"".join(got)

    def _sizes(self, left: int) -> Tuple[List[Tuple[int, int]], int]:
        """Transfers of the next message as (bytes, bits per word), and what is left for the ones after it."""
        sizes: List[Tuple[int, int]] = []
        room = _RX_BUFFER
        width = self.bits_per_word // 8
        while left and room >= _ALIGNED:
            size = min(left, self.chunk, room)
            bits = self.bits_per_word if size >= width else 8
            size -= size % (bits // 8)
            sizes.append((size, bits))
            left -= size
            room -= -(-size // _ALIGNED) * _ALIGNED
        return sizes, left

    # The lines.

    def set_reset(self, high: bool) -> None:
        """Drive the pin RST_N."""
        self._wired().reset.set(high)

    def irq(self) -> bool:
        """The interrupt line is high."""
        return self._wired().irq.high()

    def wait_irq(self, timeout_s: float) -> Optional[int]:
        """Wait for the interrupt line to rise; the kernel's time stamp (CLOCK_MONOTONIC), None at the timeout."""
        request = self._wired().irq.request
        if not request.wait_edge_events(timedelta(seconds=timeout_s)):
            return None
        return int(request.read_edge_events(1)[0].timestamp_ns)

    def forget_edges(self) -> int:
        """Drop edges that nobody waited for; how many there were."""
        request, dropped = self._wired().irq.request, 0
        while request.wait_edge_events(timedelta(0)):
            dropped += len(request.read_edge_events())
        return dropped

    def until_irq(self, high: bool, timeout_s: float) -> float:
        """Wait until the interrupt line has this level; seconds it took.  Raises TimeoutError."""
        begun = time.monotonic()
        while self.irq() != high:
            if time.monotonic() - begun > timeout_s:
                raise TimeoutError("the interrupt line is not %s after %.3f s" % ("high" if high else "low", timeout_s))
        return time.monotonic() - begun


    def _wired(self) -> Lines:
        if self._lines is None:
            raise LookupError("no lines for this sensor: its device in board.yaml needs lines: {reset: …, irq: …}")
        return self._lines


def _in_order(data: bytes, bits: int) -> bytes:
    """Words come in the target's byte order, the wire's is most significant byte first."""
    width = bits // 8
    if width == 1:
        return data
    out = bytearray(len(data))
    for at in range(width):
        out[at::width] = data[width - 1 - at::width]
    return bytes(out)
