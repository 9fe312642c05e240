"""Interrupt a running call: any frame from the host, or its disconnect, raises
KeyboardInterrupt in it.
"""
from __future__ import annotations

import os
import select
import signal
import threading
from types import FrameType, TracebackType


class Interruptible:
    """A context manager around a call that the host may interrupt.

    It only watches the stream: what the host sent stays there to be read.
    """

    def __init__(self, stream: int) -> None:
        self._stream, self._active = stream, False

    def __enter__(self) -> None:
        self._wake = os.pipe()
        self._main = threading.get_ident()
        self._before = signal.signal(signal.SIGINT, self._raise)
        self._active = True
        self._thread = threading.Thread(target=self._watch, name="interrupt", daemon=True)
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._active = False  # from here on a signal is too late, and does nothing
        os.write(self._wake[1], b"x")
        self._thread.join()
        signal.signal(signal.SIGINT, self._before)
        for fd in self._wake:
            os.close(fd)

    def _watch(self) -> None:
        ready, _, _ = select.select([self._stream, self._wake[0]], [], [])
        if self._wake[0] not in ready:
            signal.pthread_kill(self._main, signal.SIGINT)  # ends a blocking system call, too

    def _raise(self, number: int, at: FrameType | None) -> None:
        if self._active:
            self._active = False
            raise KeyboardInterrupt
