"""What counts as a leak, and what does not."""
from __future__ import annotations

from drivers.checks.slab_leak import grows


def test_a_cache_that_gains_with_every_step_is_named_with_its_slope():
    samples = [{"kmalloc-1k": 100 + 32 * step, "dentry": 5000 - step} for step in range(6)]
    assert grows(samples) == {"kmalloc-1k": 32}


def test_one_burst_is_no_leak():
    assert grows([{"kmalloc-64": count} for count in (640, 640, 640, 704, 704, 704, 704, 704)]) == {}


def test_noise_about_a_level_is_no_leak_and_noise_about_a_slope_is_one():
    assert grows([{"a": count} for count in (10, 12, 9, 11, 10, 12, 9)]) == {}
    assert grows([{"a": count} for count in (10, 22, 27, 41, 48, 62, 69)]) .keys() == {"a"}


def test_areas_that_are_unmapped_lazily_are_left_out():
    assert grows([{"vmap_area": 2 * step} for step in range(6)]) == {}
