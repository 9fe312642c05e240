"""A record keeps what happened: round trips, a cut last line, and everything else that can be wrong with one."""
import hashlib
import json
import os
import stat
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import RecordError
from bench.health import HealthIssue
from bench.store import CallError, CallRecord, CheckRecord, Cut, Measurement, RunInfo, WireEvent, Writer, read
from bench.store.codec import pack, to_json, typed, unpack
from bench.verdict import Outcome, Verdict, Witness

RUN = RunInfo(board="twin210", kernel="6.12.107", config_hash="c0ffee", started="2026-11-22T12:00:00+00:00", twin=True,
              faults=("dm9000:swallow_tx_completion",), identity={"chip": {"id": 0x90000A46}})
CHECK = CheckRecord(
    name="drivers/dm9000/checks/test_tx.py::test_a_frame_completes", sentence="a frame completes", exerciser="dm9000",
    outcome=Outcome.FAIL, device="ethernet", reason="no completion", failure="assert 0 == 1", known_defect=None,
    faults=("dm9000:swallow_tx_completion",), started_ns=7, seconds=0.25,
    measured=(Measurement("link_up", 0.4, "s", 5.0, True), Measurement("odd", float("inf"), "s", None, False)),
    calls=(CallRecord("send_frames", {"frames": [b"\x00\xff"], "pair": (1, "a"), "$odd": {3: None}}, {"sent": 1},
                      CallError("OSError", "timed out", 110, "Traceback …"), 10, 20, -5, 1, "traces/0001.dat", 3,
                      (Verdict(Outcome.FAIL, "each frame completes", "1 did not",
                               (Witness(12, 1, 99, "net_dev_xmit", {"len": 60, "buf": b"\x01"}),)),), "ethernet"),),
    wire=(WireEvent(15, "chip", "out", "TXREQ", "c0de"),), pcap="wire/0001.pcap", files=("files/0001-finger.png",),
    health=(HealthIssue("splat", "NETDEV WATCHDOG", "fail"),),
    console=((16, "dm9000 …"), (17, "\x1b[31m\x00\u202e<script>")), kmsg=((18, 2, "NETDEV WATCHDOG: eth0"),),
)
START = b'{"kind":"check","name":"n","sentence":"s","exerciser":"e",'


def written(folder, *checks, end=True):
    writer = Writer(folder)
    writer.start(RUN)
    for check in checks:
        writer.add(check)
    writer.close({"passed": 0} if end else None)
    return folder


def test_what_was_written_is_read_back_equal(tmp_path):
    record = read(written(tmp_path / "r", CHECK, CHECK))
    assert (record.run, record.checks, record.complete, record.notes) == (RUN, (CHECK, CHECK), True, ())
    assert record.summary == {"passed": 0}


def test_a_record_as_json_has_no_other_types_than_jsons_own():
    def types(value):
        inner = value.values() if type(value) is dict else value if type(value) in (list, tuple) else ()
        return {type(value)}.union(*map(types, inner))

    assert types(to_json(CHECK)) == {dict, list, str, int, float, bool, type(None)}  # pytest-xdist takes these only
    assert typed(CheckRecord, to_json(CHECK)) == CHECK


def test_a_record_is_private_to_its_user(tmp_path):
    folder = written(tmp_path / "r", CHECK)
    assert [stat.S_IMODE(p.stat().st_mode) for p in (folder, folder / "traces", folder / "wire")] == [0o700] * 3
    assert stat.S_IMODE((folder / "record.jsonl").stat().st_mode) == 0o600


def test_each_check_is_one_line_of_ascii_json(tmp_path):
    lines = (written(tmp_path / "r", CHECK) / "record.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["run", "check", "end"]
    assert all(line.isascii() for line in lines)


@pytest.mark.parametrize("cut", [1, 2, 40, 400])
def test_a_cut_last_line_is_left_out_and_said(tmp_path, cut):
    path = written(tmp_path / "r", CHECK, CHECK, end=False) / "record.jsonl"
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    record = read(path.parent)
    assert (record.checks, record.complete) == ((CHECK,), False)
    length = len(data.splitlines()[2]) + 1 - cut
    assert record.notes == (f"line 3 is cut off after {length} bytes and was ignored; the run stopped there",)


def test_every_cut_of_a_record_is_read_up_to_there_or_says_that_nothing_was_recorded(tmp_path):
    path = written(tmp_path / "r", CHECK) / "record.jsonl"
    data = path.read_bytes()
    first = data.index(b"\n") + 1
    for end in range(0, len(data), 97):
        path.write_bytes(data[:end])
        if end < first:
            with pytest.raises(RecordError, match=r"record\.jsonl:1: the run's line is"):
                read(path.parent)
        else:
            assert read(path.parent).run == RUN


def test_a_run_without_its_end_line_is_incomplete(tmp_path):
    record = read(written(tmp_path / "r", CHECK, end=False))
    assert (record.complete, record.notes) == (False, ("the run was stopped after check 1: there is no end line",))


def test_a_check_is_on_the_disk_when_add_returns_even_if_the_bench_is_killed(tmp_path):
    code = """if True:
        import os, pathlib, sys
        from bench.store import CheckRecord, RunInfo, Writer
        from bench.verdict import Outcome
        writer = Writer(pathlib.Path(sys.argv[1]))
        writer.start(RunInfo("twin210"))
        writer.add(CheckRecord("n", "s", "net", Outcome.PASS))
        os.kill(os.getpid(), 9)
    """
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "r")], timeout=20).returncode == -9
    assert [check.outcome for check in read(tmp_path / "r").checks] == [Outcome.PASS]


@pytest.mark.parametrize(("line", "reason"), [
    (b"{nonsense", "3: not JSON at column 2"),
    (b"\xff\xfe", "3: not UTF-8 at byte 0"),
    (b"[]", "3: expected an object, found list"),
    (b'{"kind":"chekc"}', "3: kind: expected run, check or end, found 'chekc'"),
    (b'{"kind":"run","version":1,"board":"b"}', "3: expected the run's line first"),
    (b'{"kind":"check"}', "3: name: missing"),
    (START + b'"outcome":"good"}', "3: outcome: 'good' is not a valid Outcome"),
    (START + b'"outcome":"pass","seconds":true}', "3: seconds: expected number, found bool"),
    (START + b'"outcome":"pass","calls":[{"call":"c","value":{"$x":1}}]}', r"3: calls\[0\]\.value: unknown mark '\$x'"),
    (START + b'"outcome":"pass","kmsg":[[1,"2","t"]]}', r"3: kmsg\[0\]\[1\]: expected int, found str"),
    (START + b'"outcome":"pass","kmsg":[[1,2]]}', r"3: kmsg\[0\]: expected 3 items, found 2"),
    (START + b'"outcome":"pass","colour":"red"}', "3: no such field in a CheckRecord: colour"),
    (START + b'"outcome":"pass","faults":"abc"}', "3: faults: expected list, found str"),
    (START + b'"outcome":"pass","rows":[[1]]}', r"3: rows\[0\]: expected dict, found list"),
    (b"[" * 100_000, "3: "),
])
def test_a_wrong_line_is_named_with_file_line_and_reason(tmp_path, line, reason):
    path = written(tmp_path / "r", CHECK, end=False) / "record.jsonl"
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(RecordError, match=rf"record\.jsonl:{reason}"):
        read(path.parent)


def test_a_newer_record_says_which_bench_to_use(tmp_path):
    path = written(tmp_path / "r") / "record.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":2', 1))
    with pytest.raises(RecordError, match=r":1: version: expected 1, found 2; read it with the bench that wrote it"):
        read(path.parent)


def test_a_folder_without_a_record_says_what_a_record_is(tmp_path):
    with pytest.raises(RecordError, match=r"cannot be read: No such file .*; a record is a folder with record\.jsonl"):
        read(tmp_path)


def test_a_second_record_in_the_same_folder_is_refused(tmp_path):
    written(tmp_path / "r")
    with pytest.raises(RecordError, match="already holds a record"):
        Writer(tmp_path / "r")


def test_checks_before_the_run_or_after_the_end_are_refused(tmp_path):
    writer = Writer(tmp_path / "r")
    with pytest.raises(RecordError, match="before the run's line"):
        writer.add(CHECK)
    writer.start(RUN)
    writer.close({})
    with pytest.raises(RecordError, match="closed"):
        writer.add(CHECK)


def test_long_bytes_keep_their_head_length_and_hash():
    data = os.urandom(5000)
    cut = unpack(json.loads(json.dumps(pack({"data": data}))))["data"]
    assert cut == Cut(data[:4096], 5000, hashlib.sha256(data).hexdigest())
    assert unpack(pack(cut)) == cut
    assert unpack(pack(data[:4096])) == data[:4096]


def test_numbers_and_arrays_of_numpy_become_plain_ones():
    assert pack({"a": np.uint64(2**64 - 1), "b": np.float32(0.5), "c": np.array([1, 2]), "d": np.bytes_(b"x")}) == {
        "a": 2**64 - 1, "b": 0.5, "c": [1, 2], "d": {"$bytes": "eA=="}}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner)
    | st.dictionaries(st.sampled_from(["$bytes", "$tuple", "$dict"]), inner),
)


@given(values)
def test_any_value_of_a_call_comes_back_equal_and_of_the_same_type(value):
    back = unpack(json.loads(json.dumps(pack(value), allow_nan=False)))
    assert back == value
    assert type(back) is type(value)
