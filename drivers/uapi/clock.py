"""Offsets of the kernel's other clocks from CLOCK_MONOTONIC, to which all
time stamps are converted.

A measurement is [offset_ns, error_ns]: that clock minus CLOCK_MONOTONIC, and the bound of its
error. It is bracketed by two readings of CLOCK_MONOTONIC, repeated, and the narrowest bracket
counts: a reader that is preempted between the two makes it wider, never wrong.
"""
from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import NamedTuple

TRIES = (
    5  # the log takes ten lines at once from a program before it drops some (devkmsg's rate limit)
)
LOG_UNIT_NS = 1000  # the log's stamps are cut to whole microseconds
LOG_LINE = b"<7>bench: what time is it?\n"  # a debug message: no console prints it


class Bracket(NamedTuple):
    """Another clock, read between two readings of CLOCK_MONOTONIC [ns]."""

    before: int
    other: int
    after: int


def wall_clock() -> list[int]:
    """CLOCK_REALTIME, which usbmon stamps its packets with (ktime_get_real_ts64)."""
    return _narrowest(_read_wall() for _ in range(TRIES))


def log_clock() -> list[int] | None:
    """The kernel log's clock, the scheduler's (local_clock): lines written and read
    back; None without /dev/kmsg.
    """
    try:
        fd = os.open("/dev/kmsg", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None  # no kernel log, or no permission
    try:
        offset, error = _narrowest(_write_line(fd) for _ in range(TRIES))
        return [offset, error + LOG_UNIT_NS // 2]
    except (OSError, ValueError, IndexError):
        return None
    finally:
        os.close(fd)


def hull(measured: Iterable[list[int]]) -> list[int]:
    """One measurement that contains all of several: a clock that drifted between
    them has the larger error.
    """
    known = list(measured)
    low = min(offset - error for offset, error in known)
    high = max(offset + error for offset, error in known)
    return [(low + high) // 2, (high - low + 1) // 2]


def _read_wall() -> Bracket:
    return Bracket(
        time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_REALTIME), time.monotonic_ns()
    )


def _write_line(fd: int) -> Bracket:
    os.lseek(fd, 0, os.SEEK_END)
    before = time.monotonic_ns()
    os.write(fd, LOG_LINE)  # it is stamped in here, before any console has it
    after = time.monotonic_ns()
    stamp = int(os.read(fd, 8192).split(b",", 3)[2]) * LOG_UNIT_NS + LOG_UNIT_NS // 2
    return Bracket(before, stamp, after)


def _narrowest(brackets: Iterable[Bracket]) -> list[int]:
    before, other, after = min(brackets, key=lambda bracket: bracket.after - bracket.before)
    return [other - (before + after) // 2, (after - before + 1) // 2]
