"""The line to the agent: frames over any byte stream; one method, `exchange(frame) -> frame`."""
from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Any

from bench.errors import AgentDied, ChannelError, Hang
from bench.target.protocol import Stream
from drivers.agent import frame

Frame = dict[str, Any]
WATCH_S = 0.1  # between two checks of a waiting exchange that the target is alive


class Channel:
    """Frames over a stream.

    `watch` is called while an exchange waits; it raises when the target is known to be dead.
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
            raise ChannelError(f"the agent's stream is out of sync: {e}") from e
        except (EOFError, BrokenPipeError, ConnectionError) as e:
            self._watch()
            raise ChannelError(f"the connection to the agent was lost: {e}") from e
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
