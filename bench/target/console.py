"""A console that is always drained: an unread console freezes QEMU, and loses bytes on a UART.

A thread reads; every line is stamped with the host's monotonic clock and kept for the report; expect()
reads from the same bytes.  The thread never calls labgrid, whose steps are not thread-safe.
"""
from __future__ import annotations

import itertools
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

KEPT_LINES = 20_000
UNREAD_BYTES = 1 << 20  # bytes that expect() has not read; the oldest are dropped first


@dataclass(frozen=True)
class Line:
    """One line of the console, with the time at which its first byte came (ns, host's CLOCK_MONOTONIC)."""

    ns: int
    text: str


class Port(Protocol):
    """The source of bytes: a socket, or a labgrid console."""

    def recv(self, size: int, /) -> bytes:
        """At least one byte; b"" at the end."""


class ConsoleLog:
    """All output of one console since power-on."""

    def __init__(self, port: Port, on_line: Callable[[Line], None] | None = None) -> None:
        self.lines: deque[Line] = deque(maxlen=KEPT_LINES)
        self.closed = False
        self._on_line = on_line
        self._port = port
        self._unread = bytearray()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._drain, name="console", daemon=True)
        self._thread.start()

    def read(self, size: int, timeout_s: float) -> bytes:
        """Return at most `size` bytes not read before; b"" when none came in time or the console closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._unread or self.closed, timeout_s)
            data = bytes(self._unread[:size])
            del self._unread[:size]
            return data

    def wait_for(self, pattern: str, timeout_s: float) -> bool:
        """Read up to where `pattern` ends and return True; False when it did not come in time or the console closed."""
        wanted = re.compile(pattern.encode())
        with self._changed:
            self._changed.wait_for(lambda: wanted.search(self._unread) or self.closed, timeout_s)
            match = wanted.search(self._unread)
            if match:
                del self._unread[: match.end()]
            return match is not None

    def since(self, ns: int) -> list[Line]:
        """The lines that came at or after `ns`."""
        with self._changed:
            newest_first = list(itertools.takewhile(lambda line: line.ns >= ns, reversed(self.lines)))
        return newest_first[::-1]

    def _drain(self) -> None:
        partial, started = b"", 0
        while True:
            try:
                data = self._port.recv(65536)
            except OSError:  # closed by power off
                data = b""
            now = time.monotonic_ns()
            *whole, rest = (partial + data).split(b"\n")
            with self._changed:
                for i, text in enumerate(whole):
                    self._add(Line(started if i == 0 and partial else now, _text(text)))
                if not data and rest:
                    self._add(Line(started, _text(rest)))
                self._unread += data
                del self._unread[: max(0, len(self._unread) - UNREAD_BYTES)]
                self.closed = not data
                self._changed.notify_all()
            if not data:
                return
            if whole or not partial:
                started = now
            partial = rest

    def _add(self, line: Line) -> None:
        self.lines.append(line)
        if self._on_line:
            self._on_line(line)


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\r").decode("utf-8", "backslashreplace")
