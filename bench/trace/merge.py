"""Rows of several CPUs by time, slice by slice, so that a recording may be of any length."""
from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.uint32]
Stamps = NDArray[np.uint64]

# Rows of a CPU that are put in order at a time: few enough for the processor's cache.
SLICE = 1 << 15


def ordered(stamps: Stamps) -> bool:
    """True when no time is before the one in front of it."""
    return not bool((stamps[1:] < stamps[:-1]).any())


def by_time(ts: Stamps, runs: Sequence[Rows]) -> Iterator[Rows]:
    """The rows of all runs by `ts`, equal times in the order of the runs; each run is in order already."""
    runs = [run for run in runs if run.size]
    while len(runs) > 1:
        # Up to here every run is seen: later rows of a run that is longer than a slice may still come before these.
        limits = [ts[run[SLICE - 1]] for run in runs if run.size > SLICE]
        counts = [_before(ts, run, min(limits)) for run in runs] if limits else [run.size for run in runs]
        if not any(counts):  # a slice of one time: all rows of that time
            counts = [_until(ts, run, min(limits)) for run in runs]
        rows = np.concatenate([run[:count] for run, count in zip(runs, counts, strict=True)])
        yield rows.take(np.argsort(ts.take(rows), kind="stable"))
        runs = [run[count:] for run, count in zip(runs, counts, strict=True) if count < run.size]
    yield from runs


def _before(ts: Stamps, run: Rows, limit: np.uint64) -> int:
    """How many rows of a run's first slice are before a time."""
    return int(np.searchsorted(ts.take(run[:SLICE]), limit))


def _until(ts: Stamps, run: Rows, limit: np.uint64) -> int:
    """How many rows of a run are not after a time."""
    count = 0
    while True:
        part = ts.take(run[count:count + SLICE])
        passed = int(np.searchsorted(part, limit, side="right"))
        count += passed
        if passed < SLICE:
            return count
