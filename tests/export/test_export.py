"""What other tools get: Perfetto's protobuf, CSV, Parquet."""
import csv
import importlib.util
from pathlib import Path

import pytest

from bench.errors import UsageError
from bench.export import perfetto, table
from bench.trace import Trace
from tests.export.pftrace import ends, parsed, values
from tests.trace.pages import Layout, Writer, payload, recording

SMALL = Path(__file__).parent.parent / "trace" / "data" / "small.dat"


def test_perfetto_has_every_event_on_its_cpu_and_the_given_slices_on_their_tracks(tmp_path):
    trace, path = Trace.load(SMALL), tmp_path / "out.pftrace"
    call = perfetto.Slice("calls", "net", "send_frames", 2146205876249, 2146305876249, {"count": 3, "left": -1})
    count = perfetto.write(trace, path, [call, perfetto.Slice("wires", "cable", "frame out", 2146253942745)])
    packets = parsed(path)
    assert len(packets) == count
    events = ends(packets)
    ours = [(ts, track, e.type, e.name) for ts, track, e in events if track[0] in ("calls", "wires")]
    assert ours == [(2146205876249, ("calls", "net"), 1, "send_frames"), (2146305876249, ("calls", "net"), 2, ""),
                    (2146253942745, ("wires", "cable"), 3, "frame out")]
    assert values(events[0][2]) == {"count": 3, "left": -1}
    kernel = [(ts, track[1], e.name) for ts, track, e in events if track[0] == "kernel events"]
    assert kernel == [(w.ts, f"cpu {w.cpu}", w.event.split(":")[1]) for w in trace.merged()]
    queued = next(e for ts, track, e in events if e.name == "net_dev_queue")
    assert values(queued) == {"common_pid": 20491, "process": "python3", "skbaddr": 0xffff888100b84100, "len": 242,
                              "name": "lo"}


def test_perfetto_shows_interrupts_from_entry_to_exit(tmp_path):
    trace, path = Trace.load(SMALL), tmp_path / "out.pftrace"
    perfetto.write(trace, path)
    packets = [p for p in parsed(path) if p.HasField("track_event")]
    begins = [p for p in packets if p.track_event.name == "irq_handler" and p.track_event.type == 1]
    track = begins[0].track_event.track_uuid
    ends = [p for p in packets if p.track_event.type == 2 and p.track_event.track_uuid == track]
    assert len(begins) == 38
    assert (begins[0].timestamp, ends[0].timestamp) == (2146237705726, 2146237719256)


def test_csv_has_a_line_per_event_with_texts(tmp_path):
    trace = Trace.load(SMALL)
    assert table.write_csv(trace, "sched_waking", tmp_path / "out.csv") == 89
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 89
    assert rows[0] == {"ts": "2146206047843", "cpu": "1", "pid": "20491", "process": "python3", "comm": "python3",
                       "pid_": "20450", "prio": "120", "target_cpu": "1"}


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is not None, reason="pyarrow is installed")
def test_parquet_without_pyarrow_says_what_to_install(tmp_path):
    with pytest.raises(UsageError, match=r"pip install 'driver-bench\[parquet\]'"):
        table.write_parquet(Trace.load(SMALL), "sched_waking", tmp_path / "out.parquet")


def test_parquet_reads_back_with_its_types(tmp_path, monkeypatch):
    pyarrow = pytest.importorskip("pyarrow.parquet", reason="the extra 'parquet' is not installed")
    monkeypatch.setattr(table, "SLICE", 100)
    trace, path = Trace.load(SMALL), tmp_path / "out.parquet"
    assert table.write_parquet(trace, "net_dev_queue", path) == 634
    made = pyarrow.read_table(path)
    assert made.num_rows == 634
    assert [(field.name, str(field.type)) for field in made.schema] == [
        ("ts", "uint64"), ("cpu", "uint32"), ("pid", "int32"), ("process", "string"), ("skbaddr", "uint64"),
        ("len", "uint32"), ("name", "string")]
    assert made.slice(0, 1).to_pylist() == [{"ts": 2146253940552, "cpu": 1, "pid": 20491, "process": "python3",
                                             "skbaddr": 0xffff888100b84100, "len": 242, "name": "lo"}]


def test_parquet_and_csv_of_arrays_payloads_and_another_byte_order(tmp_path):
    layout = Layout(big=True, long=4)
    writer = Writer(layout)
    fields = {"name": "eth0", "comm": "swapper", "port": 80, "mac": b"\1\2\3\4\5\6", "rest": b"\0ab"}
    writer.event(1, payload(layout, "t:named", 5, **fields))
    trace = Trace(recording([writer], layout))
    table.write_csv(trace, "named", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == (
        "ts,cpu,pid,process,name,comm,port,mac,rest\n1,0,5,<...>,eth0,swapper,80,\"[1, 2, 3, 4, 5, 6]\",006162\n")
    pyarrow = pytest.importorskip("pyarrow.parquet", reason="the extra 'parquet' is not installed")
    table.write_parquet(trace, "named", tmp_path / "out.parquet")
    assert pyarrow.read_table(tmp_path / "out.parquet").to_pylist() == [
        {"ts": 1, "cpu": 0, "pid": 5, "process": "<...>", "name": "eth0", "comm": "swapper", "port": 80,
         "mac": [1, 2, 3, 4, 5, 6], "rest": "006162"}]


def test_an_event_that_never_came_is_a_table_without_lines(tmp_path):
    trace = Trace.load(SMALL)
    assert table.write_csv(trace, "net_dev_xmit_timeout", tmp_path / "out.csv") == 0
    assert (tmp_path / "out.csv").read_text() == "ts,cpu,pid,process,name,driver,queue_index\n"
