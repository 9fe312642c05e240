"""Hear the host while a call runs: whatever it sends then, or its hanging up, ends the call with KeyboardInterrupt."""
from __future__ import annotations

import os
import select
import signal
import threading
from types import FrameType, TracebackType
from typing import Optional, Type


class Ears:
    """A context manager around a call that may be interrupted; what the host sent stays to be read."""

    def __init__(self, stream: int) -> None:
        self._stream, self._open = stream, False

    def __enter__(self) -> None:
        self._wake = os.pipe()
        self._main = threading.get_ident()
        self._before = signal.signal(signal.SIGINT, self._interrupt)
        self._open = True
        self._thread = threading.Thread(target=self._listen, name="ears", daemon=True)
        self._thread.start()

    def __exit__(self, kind: Optional[Type[BaseException]], e: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self._open = False  # from here on a signal is too late, and does nothing
        os.write(self._wake[1], b"x")
        self._thread.join()
        signal.signal(signal.SIGINT, self._before)
        for fd in self._wake:
            os.close(fd)

    def _listen(self) -> None:
        ready, _, _ = select.select([self._stream, self._wake[0]], [], [])
        if self._wake[0] not in ready:
            signal.pthread_kill(self._main, signal.SIGINT)  # a blocking system call ends with it, too

    def _interrupt(self, number: int, at: Optional[FrameType]) -> None:
        if self._open:
            self._open = False
            raise KeyboardInterrupt
