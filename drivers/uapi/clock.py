"""How the kernel's other clocks lie against CLOCK_MONOTONIC, the one that everything is laid on.

A measurement is [offset_ns, error_ns]: that clock less CLOCK_MONOTONIC, right within ± the error. It is bracketed by
two readings of CLOCK_MONOTONIC, taken several times, and the one with the narrowest bracket counts: a reader that was
interrupted between the two only knows less.
"""
from __future__ import annotations

import os
import time
from typing import Iterable, List, Optional, Tuple

TRIES = 5  # the log takes ten lines at once from a program before it drops some (devkmsg's rate limit)
LOG_UNIT_NS = 1000  # the log's stamps are cut to whole microseconds
LOG_LINE = b"<7>bench: what time is it?\n"  # a debug message: no console prints it

Bracket = Tuple[int, int, int]  # CLOCK_MONOTONIC before, the other clock, CLOCK_MONOTONIC after


def wall_clock() -> List[int]:
    """CLOCK_REALTIME, which usbmon stamps its packets with (ktime_get_real_ts64)."""
    return _narrowest(_read_wall() for _ in range(TRIES))


def log_clock() -> Optional[List[int]]:
    """The kernel log's clock, the scheduler's (local_clock): lines written and read back; None where that cannot be."""
    try:
        fd = os.open("/dev/kmsg", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None  # no kernel log, or not for us
    try:
        offset, error = _narrowest(_write_line(fd) for _ in range(TRIES))
        return [offset, error + LOG_UNIT_NS // 2]
    except (OSError, ValueError, IndexError):
        return None
    finally:
        os.close(fd)


def hull(measured: Iterable[List[int]]) -> List[int]:
    """One measurement that none of several contradicts: a clock that ran away between them has the larger error."""
    known = list(measured)
    low = min(offset - error for offset, error in known)
    high = max(offset + error for offset, error in known)
    return [(low + high) // 2, (high - low + 1) // 2]


def _read_wall() -> Bracket:
    return time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_REALTIME), time.monotonic_ns()


def _write_line(fd: int) -> Bracket:
    os.lseek(fd, 0, os.SEEK_END)
    before = time.monotonic_ns()
    os.write(fd, LOG_LINE)  # it is stamped in here, before any console has it
    after = time.monotonic_ns()
    return before, int(os.read(fd, 8192).split(b",", 3)[2]) * LOG_UNIT_NS + LOG_UNIT_NS // 2, after


def _narrowest(brackets: Iterable[Bracket]) -> List[int]:
    before, other, after = min(brackets, key=lambda bracket: bracket[2] - bracket[0])
    return [other - (before + after) // 2, (after - before + 1) // 2]
