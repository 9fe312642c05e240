"""The stream to the host: frames of several threads, none interleaved, and pages
that are spliced through.
"""
from __future__ import annotations

import os
import threading
from collections.abc import Mapping

from drivers.agent import frame

CHUNK = 1 << 20


class Port:
    """Reads from one file descriptor, writes frames to another (or the same)."""

    def __init__(self, reading: int, writing: int) -> None:
        self.reading, self._writing = reading, writing
        self._lock = threading.Lock()

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end."""
        return os.read(self.reading, size)

    def write(self, header: Mapping[str, object]) -> None:
        """Send one frame."""
        pieces = frame.pack(header)
        with self._lock:
            for piece in pieces:
                self._put(piece)

    def move(self, header: Mapping[str, object], pipe: int, size: int) -> None:
        """Send one frame whose only attachment, {"$bytes": 0} in `header`, is the
        next `size` bytes of a pipe.
        """
        with self._lock:
            self._put(frame.head(header, [size]))
            while size:
                try:
                    size -= os.splice(pipe, self._writing, size)
                except (AttributeError, OSError) as e:
                    if isinstance(e, OSError) and e.errno not in (22, 38):
                        raise
                    data = os.read(
                        pipe, min(size, CHUNK)
                    )  # Python before 3.10, or a stream that cannot be spliced to
                    self._put(data)
                    size -= len(data)

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._writing, view) :]
