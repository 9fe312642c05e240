"""The line to the agent.  The seam is one method, `exchange(frame) -> frame`: ssh and serial console can follow."""
from __future__ import annotations

import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from bench.errors import AgentDied, ChannelError, Hang
from drivers.agent import frame

Frame = dict[str, Any]
DRIFT_PPM = 200  # two crystals of 50 ppm each, and as much again for a clock that is being set right
TWIN_DRIFT_PPM = 1  # the guest's timer is counted off the host's CLOCK_MONOTONIC; its kernel rounds
UNKNOWN_NS = 1 << 62
WATCH_S = 0.1  # how often a waiting exchange asks whether the target still lives


@dataclass
class Clock:
    """The target's CLOCK_MONOTONIC less the host's, between the bounds that all exchanges of frames so far leave it.

    A frame cannot arrive before it was sent: each way gives one bound, whatever the other way took. Two clocks drift
    apart, so that a bound gets wider as time goes by.
    """

    drift_ppm: int = DRIFT_PPM
    low_ns: int = -UNKNOWN_NS
    high_ns: int = UNKNOWN_NS
    measured_ns: int = 0  # when, on the host's clock

    def exchanged(self, sent: int, received: int, answered: int, got: int) -> None:
        """A frame left the host at `sent` and came at `received`; the answer left at `answered` and came at `got`."""
        drift = self._drift(got)
        low, high = max(self.low_ns - drift, answered - got), min(self.high_ns + drift, received - sent)
        if low > high:  # one of the clocks was stopped or set: what was known is of another time
            low, high = answered - got, received - sent
        self.low_ns, self.high_ns, self.measured_ns = low, high, got

    def at(self, now: int) -> tuple[int, int]:
        """Offset and error [ns] at the host's time `now`."""
        return (self.low_ns + self.high_ns) // 2, (self.high_ns - self.low_ns + 1) // 2 + self._drift(now)

    def _drift(self, now: int) -> int:
        return abs(now - self.measured_ns) * self.drift_ppm // 1_000_000 if self.measured_ns else 0


class Stream(Protocol):
    """What a channel needs of a transport: a connected socket has it."""

    def fileno(self) -> int: ...
    def sendall(self, data: bytes, /) -> None: ...
    def recv(self, size: int, /) -> bytes: ...


class Channel:
    """Frames over a stream.

    `watch` is called while an exchange waits; it raises what it knows of the target's death.
    """

    def __init__(self, stream: Stream, watch: Callable[[], None] = lambda: None) -> None:
        self._stream, self._watch = stream, watch
        self._deadline = 0.0
        self._given_up = False
        self._buffer = b""
        self._read = frame.exact(self._some)

    def send(self, header: Frame) -> None:
        """Send a frame that has no answer of its own."""
        for piece in frame.pack(header):
            self._stream.sendall(piece)

    def give_up(self) -> None:
        """Let an exchange that waits in another thread end with Hang."""
        self._given_up = True

    def exchange(self, request: Frame | None, deadline_s: float, since: float | None = None) -> Frame:
        """Send `request` (None: nothing), return the next frame that comes.

        Raises Hang `deadline_s` after `since` (of time.monotonic(); None: now), AgentDied when the agent's process
        ended (its supervisor has started it again: the next frame is its hello), ChannelError when the stream broke.
        """
        self._deadline = (time.monotonic() if since is None else since) + deadline_s
        try:
            if request is not None:
                self._given_up = False
                self.send(request)
            reply = frame.unpack(self._read)
        except frame.FrameError as e:
            raise ChannelError(f"the agent's stream is out of step: {e}") from e
        except (EOFError, BrokenPipeError, ConnectionError) as e:
            self._watch()
            raise ChannelError(f"the line to the agent was cut: {e}") from e
        except TimeoutError as e:
            self._watch()
            raise Hang(f"the target gave no answer within {deadline_s:g} s") from e
        if "died" in reply:
            again = "it was restarted" if reply.get("restarted") else "it is not restarted again"
            raise AgentDied(f"the agent died ({reply['died']}); {again}")
        if "broken" in reply:
            raise ChannelError(f"the agent could not read our frame: {reply['broken']}")
        return reply

    def _some(self, n: int) -> bytes:
        """At most `n` bytes, from what was read ahead or from the stream, before the deadline."""
        if not self._buffer:
            self._buffer = self._receive()
        part, self._buffer = self._buffer[:n], self._buffer[n:]
        return part

    def _receive(self) -> bytes:
        while True:
            left = self._deadline - time.monotonic()
            if left <= 0 or self._given_up:
                raise TimeoutError
            ready, _, _ = select.select([self._stream], [], [], min(left, WATCH_S))
            if ready:
                return self._stream.recv(1 << 20)
            self._watch()
