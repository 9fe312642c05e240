"""The kernel log. Each record is read and parsed once, however many callers want it.

Ref: ABI/testing/dev-kmsg
"""
from __future__ import annotations

import errno
import fcntl
import os
from collections import deque
from typing import TypedDict

from drivers.agent.call import call
from drivers.agent.trace.tracefs import OWN_FILES

KEPT = 8192  # records, those that wrap around in the kernel's own buffer among them


class Record(TypedDict):
    """One record: sequence number, level (0 emerg to 7 debug), facility, time stamp
    of local_clock, and text.
    """

    seq: int
    level: int
    facility: int
    time_s: float
    text: str


class Records(TypedDict):
    """What `kmsg` returns: the newest record's sequence number, how many were overwritten
    unread, and the records.
    """

    last: int
    dropped: int
    records: list[Record]


class Log:
    """What /dev/kmsg had since the agent started; the file stays open, so that
    only what is new is read.
    """

    def __init__(self) -> None:
        self.records: deque[Record] = deque(maxlen=KEPT)
        self._fd: int | None = None

    def fileno(self) -> int:
        """For select(), once something was read."""
        assert self._fd is not None
        return self._fd

    @property
    def last(self) -> int:
        """The newest record's sequence number."""
        return self.records[-1]["seq"] if self.records else 0

    def read(self) -> None:
        """Read what is new.  Raises OSError where there is no log, or no permission to read it."""
        if self._fd is None:
            low = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
            try:
                self._fd = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, OWN_FILES)
            finally:
                os.close(low)
        while True:
            try:
                raw = os.read(self._fd, 8192)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.EPIPE:  # overwritten: the next read continues after the gap
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
        newer: list[Record] = []
        for record in reversed(self.records):
            if record["seq"] <= seq:
                break
            newer.append(record)
        newer.reverse()
        dropped = self.last - seq - len(newer) if newer and seq else 0
        return newer, dropped


LOG = Log()


@call
def kmsg(since: int = 0, limit: int = 2000) -> Records:
    """The kernel log's records after sequence number `since`, at most `limit`, the newest ones."""
    LOG.read()
    records, dropped = LOG.since(since)
    dropped += max(0, len(records) - limit)
    return {"last": max(LOG.last, since), "dropped": dropped, "records": records[-limit:]}
