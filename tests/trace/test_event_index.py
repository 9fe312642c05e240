"""The index: recordings larger than memory, what is kept, what a small recording costs."""
import gc
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.benchmark import synthetic
from bench.trace import Recording, Trace, event_index, merge, page_pool
from tests.trace.pages import Layout, Writer, payload, recording, simple

SMALL = Path(__file__).parent / "data" / "small.dat"


def arrays(trace):
    return {event: trace[event].copy() for event in trace.events}


@pytest.mark.parametrize("loaded", [True, False])
def test_a_recording_too_large_for_memory_is_read_the_same_through_mapped_files(tmp_path, monkeypatch, loaded):
    made = synthetic.recording(20_000)
    Trace(made).save(tmp_path / "out.dat")
    expected = arrays(Trace(made))
    for name in ("IN_MEMORY", "COLUMN_IN_MEMORY", "LARGE"):
        monkeypatch.setattr(page_pool, name, 0)
    for name, size in (("CHUNK", 500), ("LEAST_CACHE", 0)):
        monkeypatch.setattr(event_index, name, size)
    trace = Trace.load(tmp_path / "out.dat") if loaded else Trace(made)
    found = arrays(trace)
    assert found.keys() == expected.keys()
    for event, array in expected.items():
        assert np.array_equal(found[event], array)
    assert trace.strings("sched_switch", "prev_comm")[0] == "python3"


LIMITED = """
import resource, sys
from pathlib import Path
from bench.trace import Trace, event_index, page_pool
page_pool.IN_MEMORY = page_pool.COLUMN_IN_MEMORY = page_pool.LARGE = 4 << 20
event_index.LEAST_CACHE = 1 << 20
status = Path("/proc/self/status").read_text().splitlines()
own = next(int(line.split()[1]) for line in status if line.startswith("VmData:")) << 10
resource.setrlimit(resource.RLIMIT_DATA, (own + (64 << 20),) * 2)  # of memory that is not a file's
trace = Trace.load(sys.argv[1])
print(len(trace), sum(len(trace[event]) for event in trace.events), sum(map(len, trace.index.time_order())))
"""


def test_a_recording_of_170_mb_is_decoded_in_64_mb_of_memory(tmp_path):
    Trace(synthetic.recording(3_000_000)).save(tmp_path / "out.dat")
    assert (tmp_path / "out.dat").stat().st_size > 170e6
    done = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path / "out.dat")], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.split() == ["3005116"] * 3


def test_arrays_are_kept_up_to_a_limit_and_then_let_go(monkeypatch):
    monkeypatch.setattr(event_index, "LEAST_CACHE", 10_000)
    trace = simple(*((n, 0, event, n, 0) for n in range(300) for event in ("t:open", "t:close", "t:mark")))
    first = trace["open"]
    assert trace["open"] is first
    _ = trace["close"], trace["mark"]
    assert trace["open"] is not first and np.array_equal(trace["open"], first)


@given(st.lists(st.lists(st.integers(0, 30), max_size=40), max_size=4), st.integers(1, 8))
def test_cpus_are_merged_slice_by_slice_as_a_stable_sort_would(times, size):
    runs, ts = [], np.array([one for cpu in times for one in sorted(cpu)], np.uint64)
    for cpu in times:
        runs.append(np.arange(len(cpu), dtype=np.uint32) + np.uint32(sum(map(len, runs))))
    before, merge.SLICE = merge.SLICE, size
    try:
        found = [row for part in merge.by_time(ts, runs) for row in part.tolist()]
    finally:
        merge.SLICE = before
    assert found == np.argsort(ts, kind="stable").tolist()


def test_a_cpu_whose_time_goes_back_is_put_in_order():
    writers = [Writer(), Writer()]
    for ts in (50, 20, 30):
        writers[0].begin(ts)
        writers[0].event(ts, payload(Layout(), "t:mark", 1, key=ts, value=0))
    writers[1].event(25, payload(Layout(), "t:mark", 1, key=25, value=0))
    trace = Trace(recording(writers))
    assert trace["mark"]["key"].tolist() == [20, 25, 30, 50]
    assert [w.fields["key"] for w in trace.merged(21, 50)] == [25, 30]


def test_a_trace_that_is_let_go_frees_its_memory():
    trace = Trace.load(SMALL)
    _ = trace["net_dev_xmit"]
    gone = weakref.ref(trace.index)
    gc.disable()
    try:
        del trace
        assert gone() is None
    finally:
        gc.enable()


def test_blobs_of_every_kind_of_buffer():
    writer = Writer()
    writer.event(5, payload(Layout(), "t:open", 1, key=1, value=2))
    blob = recording([writer]).pages[0]
    for kind in (bytes, bytearray, memoryview, lambda data: np.frombuffer(data, np.uint8)):
        base = recording([writer, writer])
        trace = Trace(Recording([kind(blob), kind(blob)], base.formats, base.header_page))
        assert trace["open"]["cpu"].tolist() == [0, 1]


def test_a_recording_without_cpus_is_saved_and_read(tmp_path):
    Trace(Recording((), {}, missing={"t:open": "tracefs is not mounted"}, armed=())).save(tmp_path / "none.dat")
    again = Trace.load(tmp_path / "none.dat")
    assert (len(again), again.missing) == (0, {"t:open": "tracefs is not mounted"})


def test_latencies_are_there_to_measure_with():
    from bench.errors import Inconclusive, UsageError
    from bench.judge.intervals import latencies
    from drivers.contract import Tracepoint, never, pair
    trace = simple((10, 0, "t:open", 1, 0), (20, 1, "t:open", 2, 0), (25, 0, "t:close", 1, 0), (90, 0, "t:close", 2, 0))
    claim = pair(Tracepoint("t:open"), Tracepoint("t:close"), "key")
    assert sorted(latencies(trace, claim).tolist()) == [15, 70]
    with pytest.raises(Inconclusive, match="no source for gone"):
        latencies(trace, pair(Tracepoint("t:gone"), Tracepoint("t:close")))
    with pytest.raises(UsageError, match=r"latencies are of pair\(…\) or latency\(…\), not of never"):
        latencies(trace, never(Tracepoint("t:open")))
