"""trace.dat: what is read equals what trace-cmd reports, what is written trace-cmd reads."""
import zlib
from collections import Counter
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.benchmark import synthetic
from bench.errors import RecordError
from bench.trace import Trace
from tests.trace import tracecmd
from tests.trace.pages import Layout, Writer, payload, recording
from tests.trace.seven import version_7

DATA = Path(__file__).parent / "data"
FILES = ("small.dat", "small-v7.dat")


def seen_by_us(trace):
    """Events as (time, cpu, pid, comm, event) and their fields, to compare with trace-cmd's raw report."""
    for witness in trace.merged():
        name = witness.event.split(":")[1]
        yield (witness.ts, witness.cpu, witness.pid, trace.comm(witness.pid), name), witness.fields


def same_value(ours, theirs, size):
    if isinstance(ours, str):
        return ours.rstrip("\n") == theirs.rstrip("\n")
    if isinstance(ours, list | bytes):
        return True  # trace-cmd prints arrays in its own ways
    theirs = theirs.replace("(nil)", "0")
    hexadecimal = not theirs.lstrip("-").isdigit()  # with 0x in front or, for addresses of probes, without
    return (ours - int(theirs, 16 if hexadecimal else 10)) % (1 << 8 * size) == 0


def compare(trace, path):
    """Every event and every integer and string field; returns how many of each were compared."""
    reported = sorted(tracecmd.events(path), key=lambda one: one[:5])
    ours = sorted(seen_by_us(trace), key=lambda one: one[0])
    assert Counter(one[:5] for one in reported) == Counter(one[0] for one in ours)
    waiting = {}
    for one in reported:
        waiting.setdefault(one[:5], []).append(one[5])
    compared = 0
    for head, own in ours:
        declared = trace.format(head[4]).fields[4:]
        texts = [tracecmd.fields(text, [f.name for f in declared]) for text in waiting[head]]
        found = [all(same_value(own[f.name], text[f.name], f.size) for f in declared) for text in texts]
        assert any(found), (head, own, waiting[head])
        waiting[head].pop(found.index(True))
        compared += len(declared)
    return len(ours), compared


@tracecmd.needed()
@pytest.mark.parametrize("name", FILES)
def test_every_event_and_field_is_what_trace_cmd_reports(name):
    events, fields = compare(Trace.load(DATA / name), DATA / name)
    assert events == 8548
    assert fields == 42075


def test_both_versions_hold_the_same_events():
    six, seven = (Trace.load(DATA / name) for name in FILES)
    assert list(six.merged()) == list(seven.merged())
    assert six.recording.clock == seven.recording.clock == "mono"


@tracecmd.needed()
def test_what_is_written_is_reported_the_same(tmp_path):
    Trace.load(DATA / "small-v7.dat").save(tmp_path / "out.dat")
    assert tracecmd.report(tmp_path / "out.dat") == tracecmd.report(DATA / "small.dat")


@tracecmd.needed()
def test_a_synthetic_recording_with_every_form_of_record_is_reported_the_same(tmp_path):
    trace = Trace(synthetic.recording(5_000))
    trace.save(tmp_path / "out.dat")
    events, _ = compare(trace, tmp_path / "out.dat")
    assert events == len(trace) >= 5_000


@tracecmd.needed()
@pytest.mark.parametrize("layout", [Layout(long=4), Layout(long=4, size=65536), Layout(size=65536), Layout(big=True),
                                    Layout(big=True, long=4)])
def test_trace_cmd_reads_recordings_of_other_targets(tmp_path, layout):
    writers = [Writer(layout), Writer(layout)]
    for number in range(3000):
        writers[number % 2].event(10**9 + number * 10**6, payload(
            layout, "t:open", 7, key=number, value=-number), long=number % 3 == 0)
    trace = Trace(recording(writers, layout, cmdlines={7: "writer"}))
    trace.save(tmp_path / "out.dat")
    assert compare(trace, tmp_path / "out.dat")[0] == 3000


def test_our_own_file_keeps_what_the_format_has_no_place_for(tmp_path):
    writer = Writer()
    writer.event(5, payload(Layout(), "t:open", 1, key=1, value=1))
    before = recording([writer], stats_before=["overrun: 1\n"], stats_after=["overrun: 4\n"], armed=("t:open",),
                       missing={"t:gone": "no such event"}, cmdlines={1: "init"}, began_ns=1, ended_ns=9,
                       functions=("stext", "probe [m]"))
    Trace(before).save(tmp_path / "own.dat")
    after = Trace.load(tmp_path / "own.dat")
    assert (after.lost, after.missing, after.began, after.ended) == (3, {"t:gone": "no such event"}, 1, 9)
    assert (after.armed("t:open"), after.armed("t:close"), after.comm(1)) == (True, False, "init")
    assert after.recording.functions == ["stext", "probe [m]"]


def test_in_a_file_of_somebody_else_only_what_was_seen_counts_as_armed():
    trace = Trace.load(DATA / "small.dat")
    assert trace.armed("net:net_dev_xmit") and not trace.armed("net:net_dev_xmit_timeout")


def test_a_cpu_without_pages_keeps_its_place(tmp_path):
    writer = Writer()
    writer.event(5, payload(Layout(), "t:open", 1, key=1, value=1))
    Trace(recording([Writer(), Writer(), writer])).save(tmp_path / "own.dat")
    assert Trace.load(tmp_path / "own.dat")["open"]["cpu"].tolist() == [2]


def test_sections_packed_with_zlib(tmp_path):
    path = tmp_path / "zlib.dat"
    path.write_bytes(version_7(Trace.load(DATA / "small.dat"), b"zlib", zlib.compress))
    assert list(Trace.load(path).merged()) == list(Trace.load(DATA / "small.dat").merged())


@tracecmd.needed()
def test_the_version_7_file_of_these_tests_is_one_that_trace_cmd_reads(tmp_path):
    path = tmp_path / "seven.dat"
    path.write_bytes(version_7(Trace.load(DATA / "small.dat"), b"zstd", zstandard.compress))
    assert tracecmd.report(path) == tracecmd.report(DATA / "small.dat")


def test_sections_that_are_not_packed(tmp_path):
    path = tmp_path / "none.dat"
    path.write_bytes(version_7(Trace.load(DATA / "small.dat"), b"none", None))
    assert list(Trace.load(path).merged()) == list(Trace.load(DATA / "small.dat").merged())


@pytest.mark.parametrize("compress, name", [(zlib.compress, b"zlib"), (zstandard.compress, b"zstd")])
@pytest.mark.parametrize("lie, words", [
    (lambda plain: plain + 1, "unpacks to fewer than"), (lambda plain: plain - 1, "unpacks to more than"),
    (lambda plain: 0xFFFFFFFF, "compressed bytes claim to unpack to 4294967295")])
def test_a_section_that_lies_about_its_size_is_refused(tmp_path, compress, name, lie, words):
    path = tmp_path / "bomb.dat"
    path.write_bytes(version_7(Trace.load(DATA / "small.dat"), name, compress, lie=lie))
    with pytest.raises(RecordError, match=rf"bomb.dat: offset \d+: .*{words}"):
        Trace.load(path)


def test_an_unknown_compression_is_named(tmp_path):
    path = tmp_path / "lz4.dat"
    path.write_bytes(version_7(Trace.load(DATA / "small.dat"), b"lz4", zlib.compress))
    with pytest.raises(RecordError, match=r"lz4.dat: offset .*compressed with 'lz4'; zlib and zstd can be read"):
        Trace.load(path)


@pytest.mark.parametrize("data, words", [
    (b"", "offset 0: not a trace.dat"),
    (b"PK\3\4", "offset 0: not a trace.dat"),
    (b"\x17\x08\x44tracing9\0\0\x08", "version '9'"),
    (b"\x17\x08\x44tracing6\0\0\x08\0\x10\0\0header_pag", "offset 18: b'header_page"),
    (b"\x17\x08\x44tracing6\0\0\x08\0\x10\0\0header_page\0\xff\xff\xff\xff\0\0\0\0", "needs 4294967295 bytes, 0"),
])
def test_files_that_are_no_trace(tmp_path, data, words):
    path = tmp_path / "no.dat"
    path.write_bytes(data)
    with pytest.raises(RecordError, match=r"no\.dat") as error:
        Trace.load(path)
    assert words in str(error.value)


def test_a_missing_file_is_a_record_error():
    with pytest.raises(RecordError, match=r"nowhere.dat: No such file"):
        Trace.load("nowhere.dat")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("part", [3, 50, 99])
def test_a_file_cut_off_is_refused_with_name_and_offset(tmp_path, name, part):
    data = (DATA / name).read_bytes()
    path = tmp_path / "cut.dat"
    path.write_bytes(data[:len(data) * part // 100])
    with pytest.raises(RecordError, match=r"cut.dat: (section .*|offset \d+)"):
        Trace.load(path)


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6), head=st.booleans())
def test_damaged_files_give_a_trace_or_an_error_that_names_the_file(tmp_path, name, changes, head):
    data = bytearray((DATA / name).read_bytes())
    for where, value in changes:
        data[int(where * (len(data) - 1)) // (80 if head else 1)] = value
    path = tmp_path / "damaged.dat"
    path.write_bytes(data)
    try:
        trace = Trace.load(path)
        for event in trace.events:
            assert len(trace[event]) == trace.events[event]
    except RecordError as error:
        assert "damaged.dat" in str(error) or "format of" in str(error) or "header_page" in str(error)
