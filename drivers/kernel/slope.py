"""Say which slab caches grow from step to step: a leak shows as a slope, a cache that fills once does not."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

# Unmapped areas are kept until there are many of them, by design: what iounmap gives back shows much later.
LAZY = {"vmap_area"}


def grows(samples: Sequence[Mapping[str, int]], least: float = 1.0) -> dict[str, float]:
    """The caches that gain `least` objects a step or more, and how many.

    `samples`: objects in use by cache, one after each step.  The slope is the median of those between all pairs of
    samples (Theil and Sen), so that a single burst of allocation counts for nothing.
    """
    found = {}
    for name in sorted(set(samples[0]) - LAZY):
        row = [sample.get(name, 0) for sample in samples]
        slopes = sorted((row[j] - row[i]) / (j - i) for j in range(len(row)) for i in range(j))
        if slopes and slopes[len(slopes) // 2] >= least:
            found[name] = slopes[len(slopes) // 2]
    return found
