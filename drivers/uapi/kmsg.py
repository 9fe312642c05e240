"""The kernel's log, each record read and taken apart once, however often somebody asks.   Ref: ABI/testing/dev-kmsg"""
from __future__ import annotations

import errno
import fcntl
import os
from collections import deque
from typing import Deque, Dict, Optional, Union

from drivers.agent.trace.tracefs import OWN_FILES

KEPT = 8192  # records, those that wrap around in the kernel's own buffer among them

Record = Dict[str, Union[int, float, str]]


class Log:
    """What /dev/kmsg had since the agent started; the file stays open, so that only what is new is read."""

    def __init__(self) -> None:
        self.records: Deque[Record] = deque(maxlen=KEPT)
        self._fd: Optional[int] = None

    def fileno(self) -> int:
        """For select(), once something was read."""
        assert self._fd is not None
        return self._fd

    @property
    def last(self) -> int:
        """The newest record's sequence number."""
        return int(self.records[-1]["seq"]) if self.records else 0

    def read(self) -> None:
        """Read what is new.  Raises OSError where there is no log, or no leave to read it."""
        if self._fd is None:
            opened = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
            try:
                self._fd = fcntl.fcntl(opened, fcntl.F_DUPFD_CLOEXEC, OWN_FILES)
            finally:
                os.close(opened)
        while True:
            try:
                raw = os.read(self._fd, 8192)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.EPIPE:  # overwritten while we read: the next read goes on behind the gap
                    continue
                raise
            head, _, text = raw.decode("utf-8", "replace").partition(";")
            priority, seq, microseconds = (int(field) for field in head.split(",", 3)[:3])
            self.records.append(
                {
                    "seq": seq,
                    "level": priority & 7,
                    "facility": priority >> 3,
                    "time_s": microseconds / 1e6,
                    "text": text.split("\n", 1)[0],
                }
            )

    def since(self, seq: int) -> tuple[list[Record], int]:
        """The records after `seq`, and how many of those were overwritten unread."""
        found = []
        for record in reversed(self.records):
            if int(record["seq"]) <= seq:
                break
            found.append(record)
        found.reverse()
        dropped = self.last - seq - len(found) if found and seq else 0
        return found, dropped


LOG = Log()
