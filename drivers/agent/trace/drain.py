"""Send ring-buffer pages to the host: full ones while a call runs, the rest when it has ended.

Pages go from the kernel's buffer through a pipe to the stream (splice); this process does not touch
them, and holds one pipe of them at most. While the host is slow the kernel's buffer fills, and then
overwrites its oldest events: that is counted by its `overrun` and never holds up the call.
"""
from __future__ import annotations

import contextlib
import fcntl
import os
import select
import struct
import sys
import threading

from drivers.agent.port import CHUNK, Port
from drivers.agent.trace.tracefs import Folder, own

PERCENT = 25  # of a buffer: so full it must be before its pages are moved while a call runs
PAUSE_S = 0.01
F_SETPIPE_SZ = 1031  # fcntl has a name for it since Python 3.10
FEW = 4  # sub-buffers that are read and sent with the reply, not moved
MISSED_STORED = 1 << 30
LENGTH = (1 << 27) - 1


class Drain:
    """The buffers of one instance, open while it is prepared; `begin` and
    `finish` bracket a recording.
    """

    def __init__(self, instance: Folder, port: Port, subbuf_size: int) -> None:
        self._port, self._size = port, subbuf_size
        self._ident: int | None = None  # of the call whose recording is on
        self._lock = threading.Lock()  # held while pages are moved
        self._undo = contextlib.ExitStack()
        self._moved = 0
        with contextlib.suppress(OSError):  # before Linux 5.0 readers are woken by any event
            instance.write("buffer_percent", str(PERCENT))
        per_cpu = instance.path + "/per_cpu"
        self.cpus = sorted(int(name[3:]) for name in os.listdir(per_cpu))
        self._raw = [self._open(f"{per_cpu}/cpu{cpu}/trace_pipe_raw") for cpu in self.cpus]
        self._stats = [self._open(f"{per_cpu}/cpu{cpu}/stats") for cpu in self.cpus]
        self._pipe, self._wake = self._new_pipe(), self._new_pipe()
        with contextlib.suppress(
            OSError
        ):  # splice takes as many bytes at a time as the pipe has small pages for
            fcntl.fcntl(self._pipe[1], F_SETPIPE_SZ, CHUNK)
        self._thread = threading.Thread(target=self._watch, name="drain", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread, close everything: an instance with open files
        cannot be changed or removed.
        """
        os.write(self._wake[1], b"x")
        self._thread.join()
        self._undo.close()

    def begin(self, ident: int) -> list[str]:
        """The next pages are of call `ident`; returns the buffers' stats."""
        stats = self.stats()
        for number, text in enumerate(stats):
            if not _empty(text):  # events that came after the last recording was read
                self._rest(number)
        self._moved, self._ident = 0, ident
        return stats

    def finish(self) -> tuple[list[str], dict[str, bytes], int]:
        """Tracing is off: move what is left; returns the stats after, the last pages by
        CPU, and the bytes moved.
        """
        with self._lock:
            ident, self._ident = self._ident or 0, None
            stats = self.stats()
            for number, text in enumerate(stats):
                if not _empty(text):
                    while self._bytes(number) > FEW * self._size and self._move(
                        number, ident, running=False
                    ):
                        pass
            rest = {
                str(number): self._rest(number)
                for number, text in enumerate(stats)
                if not _empty(text)
            }
            return stats, rest, self._moved

    def stats(self) -> list[str]:
        """per_cpu/cpuN/stats of every CPU."""
        return [os.pread(fd, 4096, 0).decode() for fd in self._stats]

    def _watch(self) -> None:
        """Thread: move full pages when the kernel says that a buffer fills."""
        poll = select.poll()
        poll.register(self._wake[0], select.POLLIN)
        numbers = {fd: number for number, fd in enumerate(self._raw)}
        for fd in self._raw:
            poll.register(fd, select.POLLIN)
        try:
            while True:
                ready = [fd for fd, _ in poll.poll()]
                if self._wake[0] in ready:
                    return
                moved = 0
                with self._lock:
                    if self._ident is not None:
                        moved = sum(
                            [self._move(numbers[fd], self._ident, running=True) for fd in ready]
                        )
                if not moved and select.select([self._wake[0]], [], [], PAUSE_S)[0]:
                    return  # do not spin on a kernel that wakes for less than a full page
        except OSError:
            return  # the host disconnected: the next write of a reply fails, too

    def _move(self, number: int, ident: int, running: bool) -> int:
        """Send full pages of one CPU, a pipe of them at most; returns their bytes, 0 for none."""
        header: dict[str, object] = {
            "pages": {"$bytes": 0},
            "cpu": number,
            "id": ident,
            "running": running,
        }
        try:
            size = os.splice(
                self._raw[number],
                self._pipe[1],
                CHUNK // self._size * self._size or self._size,
                flags=os.SPLICE_F_NONBLOCK,
            )
        except BlockingIOError:
            return 0
        except AttributeError:  # Python before 3.10 has no splice
            data = self._read(number)
            if data:
                self._port.write(dict(header, pages=data))
            size = len(data)
        else:
            self._port.move(header, self._pipe[0], size)
        self._moved += size
        return size

    def _read(self, number: int) -> bytes:
        """One page, or b""; of a buffer that is still written to, it may be partly filled."""
        try:
            return os.read(self._raw[number], self._size)
        except BlockingIOError:
            return b""

    def _rest(self, number: int) -> bytes:
        """All pages left, read one by one; the last one is cut off behind its events."""
        parts = []
        while True:
            part = self._read(number)
            if not part:
                break
            parts.append(part)
        if parts:
            parts[-1] = parts[-1][: _used(parts[-1])]
        return b"".join(parts)

    def _bytes(self, number: int) -> int:
        text = os.pread(self._stats[number], 4096, 0).decode()
        return int(text.partition("bytes: ")[2].split("\n")[0] or 0)

    def _open(self, path: str) -> int:
        fd = own(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        self._undo.callback(os.close, fd)
        return fd

    def _new_pipe(self) -> tuple[int, int]:
        reading, writing = os.pipe()
        fds = own(reading), own(writing)
        for fd in fds:
            self._undo.callback(os.close, fd)
        return fds


def _empty(stats: str) -> bool:
    return stats.startswith("entries: 0\n")


def _used(page: bytes) -> int:
    """Bytes of a page up to the end of its events.

    Ref: events/header_page: timestamp, commit (a long), data
    """
    commit = int.from_bytes(page[8 : 8 + struct.calcsize("l")], sys.byteorder)
    return 8 + struct.calcsize("l") * (2 if commit & MISSED_STORED else 1) + (commit & LENGTH)
