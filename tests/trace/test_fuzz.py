"""Any bytes at all give a recording or an error that says where and why; see tests/trace/fuzz.py for longer runs."""
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trace import fuzz

SEEDS = fuzz.seeds()
STEP = st.tuples(st.sampled_from(fuzz.KINDS), st.floats(0, 1),
                 st.sampled_from(fuzz.ODD) | st.integers(0, (1 << 64) - 1))
FOUND = sorted((Path(__file__).parent / "data" / "found").glob("*"))


def test_the_seeds_are_right():
    for seed in SEEDS:
        fuzz.one(seed)


@settings(max_examples=700, deadline=None)
@given(st.sampled_from(SEEDS), st.lists(STEP, min_size=1, max_size=5))
def test_damaged_recordings_pages_and_texts(seed, steps):
    fuzz.one(fuzz.damaged(seed, steps))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600))
def test_bytes_without_any_sense(data):
    fuzz.one(data)


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_what_was_found_once(path):
    fuzz.one(path.read_bytes())


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="the extra 'fuzz' is not installed")
def test_inputs_that_follow_the_coverage():
    done = subprocess.run([sys.executable, "-m", "tests.trace.fuzz", "10"], capture_output=True, text=True, timeout=120,
                          cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr[-3000:]
    assert "stat::number_of_executed_units" in done.stderr
