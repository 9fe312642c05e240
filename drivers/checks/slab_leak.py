"""Say which slab caches grow from step to step: a leak shows as a slope, a cache
that fills once does not.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence

# Unmapped areas are kept until there are many of them, by design: what iounmap
# gives back shows much later.
LAZY = {"vmap_area"}


def grows(samples: Sequence[Mapping[str, int]], least: float = 1.0) -> dict[str, float]:
    """The caches that gain `least` objects a step or more, all the time, and how many.

    `samples`: objects in use by cache, one after each step, at least five. What counts is the
    lesser of the slopes of the first and of the second half, so that a single burst of allocation
    counts for nothing; and it counts only when four in five samples of the second half are above
    one of the first, so that up and down is no growth.
    """
    if len(samples) < 5:
        raise ValueError(
            f"a slope in both halves needs at least 5 samples, there are {len(samples)}"
        )
    slopes = {}
    middle = len(samples) // 2
    for name in sorted(set(samples[0]) - LAZY):
        row = [sample.get(name, 0) for sample in samples]
        slope = min(_slope(row[: middle + 1]), _slope(row[middle:]))
        above = sum(later > earlier for earlier in row[:middle] for later in row[middle:])
        if slope >= least and above >= 0.8 * middle * (len(row) - middle):
            slopes[name] = slope
    return slopes


def _slope(row: Sequence[int]) -> float:
    """The median of the slopes between all pairs (Theil and Sen)."""
    slopes = sorted((row[j] - row[i]) / (j - i) for j in range(len(row)) for i in range(j))
    return slopes[len(slopes) // 2]
