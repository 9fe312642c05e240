"""Files that lie: refused with file, offset and reason, in bounded time and memory; what is not read is named."""
import dataclasses
import resource
import struct
import time
import zlib

import pytest
import zstandard

from bench.cli.trace.common import summary_lines
from bench.errors import RecordError
from bench.trace import Trace, strings
from bench.trace.dat import packing
from bench.trace.format import parse_format
from bench.trace.recording import parse_cmdlines, parse_stats
from tests.trace.pages import FORMATS, Layout, Writer, payload, recording
from tests.trace.seven import version_7


def two_cpus(**more):
    writers = [Writer(), Writer()]
    for cpu, writer in enumerate(writers):
        writer.event(5, payload(Layout(), "t:open", 1, key=cpu, value=1))
    return recording(writers, cmdlines={1: "init"}, **more)


def written(path, **more):
    Trace(two_cpus(**more)).save(path)
    return bytearray(path.read_bytes())


def refused(path, data, words):
    path.write_bytes(data)
    with pytest.raises(RecordError) as error:
        Trace.load(path)
    assert str(error.value).startswith(f"{path}: offset "), error.value
    assert words in str(error.value)


@pytest.mark.parametrize("old, new, words", [
    (b"\toffset:8;\tsize:4", b"\toffset:8;\tsise:4", "format of t:open: 'field:u32 key; offset:8; sise:4;"),
    (b"u32 key;\toffset:8", b"int ts_;\toffset:8", ""),
    (b"field:int common_pid", b"field:int common_qid", "format of t:open: no field common_pid that is a number"),
    (b"ID: 301", b"ID: 302", "formats of t:open and t:close have the same id 302"),
    (b"name: close", b"name: open\n", "the format of t:open is there twice"),
    (b"field: local_t commit;\toffset:8", b"field: local_t commit;\toffset:4", "header_page: commit of 8 bytes at 4"),
])
def test_a_text_that_lies_is_refused_at_its_place(tmp_path, old, new, words):
    path = tmp_path / "some.dat"
    data = written(path)
    assert old in data
    changed = data.replace(old, new, 1)
    if words:
        refused(path, changed, words)
    else:
        path.write_bytes(changed)
        assert Trace.load(path)["open"]["ts_"].tolist() == [0, 1]


def test_two_fields_that_would_be_one_column_are_refused():
    lies = FORMATS["t:open"].replace("u32 key", "u32 ts").replace("s32 value", "s32 ts_")
    with pytest.raises(RecordError, match="format of t:open: field 'ts_' is declared twice"):
        parse_format(lies, "t:open")


def test_the_place_of_a_format_in_a_packed_section_is_told(tmp_path):
    lies = dict(FORMATS, **{"t:open": FORMATS["t:open"].replace("common_pid", "common_qid")})
    path = tmp_path / "some.dat"
    path.write_bytes(version_7(Trace(two_cpus()), b"zlib", zlib.compress, formats=lies))
    words = r"some.dat: section 18 at \d+, unpacked: offset \d+: format of t:open: no field common_pid"
    with pytest.raises(RecordError, match=words):
        Trace.load(path)


def cpu_table(data):
    """Where the table of CPUs is in a file of version 6."""
    return data.index(b"flyrecord\0") + 10


def test_cpus_that_share_their_pages_are_refused(tmp_path):
    path = tmp_path / "some.dat"
    data = written(path)
    at = cpu_table(data)
    data[at + 16:at + 32] = data[at:at + 16]
    refused(path, data, "pages of cpu 1 begin within those of cpu 0")


def test_a_cpu_that_is_there_twice_is_refused(tmp_path):
    path = tmp_path / "some.dat"
    data = version_7(Trace(two_cpus()), b"none", None)
    one, other = struct.pack("<IQ", 0, 0)[:4], struct.pack("<I", 1)
    at = data.rindex(other + data[data.rindex(other) + 4:][:8])
    refused(path, data[:at] + one + data[at + 4:], "cpu 0 is there twice")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "bomb.dat"
    bomb = zstandard.compress(bytes(200 << 20))
    path.write_bytes(version_7(Trace(two_cpus()), b"zstd",
                               lambda data: bomb if len(data) == 4096 else zstandard.compress(data),
                               lie=lambda plain: 200 << 20 if plain == 4096 else plain))
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(RecordError, match=r"bomb.dat: offset \d+: \d+ compressed bytes claim to unpack to 209715200"):
        Trace.load(path)
    assert time.process_time() - began < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB


def test_many_small_bombs_are_no_more_than_one(tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "LARGEST_RATIO", 2)
    many = Writer()
    for number in range(2000):
        many.event(number, payload(Layout(), "t:open", 1, key=1, value=1))
    path = tmp_path / "bombs.dat"
    refused(path, version_7(Trace(recording([many])), b"zlib", zlib.compress, chunk_pages=1), "claim to unpack to 4096")


def test_a_section_that_is_named_twice_is_refused(tmp_path):
    data = version_7(Trace(two_cpus()), b"none", None)
    at = data.rindex(struct.pack("<HI", 20, 8))
    refused(tmp_path / "some.dat", data[:at] + struct.pack("<H", 19) + data[at + 2:], "section 19 is there twice")


@pytest.mark.parametrize("ask", [
    lambda: parse_format("\n" * 200_000, "t:x"), lambda: parse_format("\n\tfield:a" * 50_000, "t:x"),
    lambda: parse_format("ID: 5\n" + FORMATS["t:open"].split("format:\n")[1].splitlines()[0] + "".join(
        f"\n\tfield:int a{number};\toffset:8;\tsize:4;" for number in range(30_000)), "t:x")])
def test_a_text_of_any_form_takes_time_in_proportion_to_its_length(ask):
    began = time.process_time()
    with pytest.raises(RecordError):
        ask()
    assert time.process_time() - began < 2


def test_numbers_of_any_length_are_no_surprise():
    assert parse_cmdlines("9" * 5000 + " bash\n 7 sh\n" + " " * 100_000) == {7: "sh"}
    assert parse_stats("overrun: " + "9" * 5000 + "\nentries: 3\n" + "a:\n" * 10) == {"entries": 3}


def test_a_format_larger_than_its_events_is_refused_before_there_is_memory_for_it():
    many = Writer()
    for number in range(30_000):
        many.event(number, payload(Layout(), "t:open", 1, key=1, value=1))
    lies = FORMATS["t:open"].replace("s32 value;\toffset:12;\tsize:4;", "u8 value[9];\toffset:12;\tsize:1000000;")
    trace = Trace(dataclasses.replace(recording([many], name="some.dat"), formats=dict(FORMATS, **{"t:open": lies})))
    with pytest.raises(RecordError, match=r"some.dat: offset 20: cpu 0: an event t:open of 16 bytes, .* 1000012"):
        trace["open"]


def test_one_long_text_among_many_short_ones_does_not_fill_memory(monkeypatch):
    monkeypatch.setattr(strings, "LARGEST_TABLE", 1000)
    writer = Writer()
    for number in range(50):
        writer.event(number, payload(Layout(), "t:tail", 1, ip=1, buf="x" * 3000 if number == 7 else "short"))
    texts = Trace(recording([writer])).text("tail", "buf")
    assert texts.dtype == object and (texts == b"short").sum() == 49 and len(texts[7]) == 3000


def test_what_else_a_file_holds_is_named(tmp_path):
    path = tmp_path / "some.dat"
    path.write_bytes(version_7(Trace(two_cpus()), b"none", None, more=[
        (3, bytes(8) + b"guest\0mono\0" + bytes(8)), (22, b""), (7, b"+5\0")]))
    assert Trace.load(path).recording.unread == [
        "text of a latency tracer", "a fixed offset of all times", "instance 'guest'"]
    data = written(path)
    at = data.index(struct.pack("<H", 0) + b"flyrecord")
    option = struct.pack("<HIQ", 3, 14, 0) + b"other\0"
    end = at + 12 + 2 * 16  # of the table; zeros follow up to the first page
    path.write_bytes(data[:at] + option + data[at:end] + data[end + len(option):])
    assert Trace.load(path).recording.unread == ["instance 'other'"]
    assert "also in the file, not read: instance 'other'" in summary_lines(Trace.load(path), "some.dat")
    assert Trace.load(path)["open"]["key"].tolist() == [0, 1]


@pytest.mark.parametrize("key, value", [("stats_after", [5]), ("stats_before", [{"overrun": "x"}]), ("armed", 5),
                                        ("missing", ["t:gone"]), ("began_ns", "now"), ("foreign", 1)])
def test_a_trailer_that_is_not_ours_is_refused(tmp_path, key, value):
    import json
    path = tmp_path / "some.dat"
    data = written(path)
    body = json.dumps({key: value}).encode()
    start = data.index(b'{"stats_before"')
    end = b"bench trailer 1\n"
    refused(path, data[:start] + body + len(body).to_bytes(8, "little") + end,
            f"the trailer's {key!r} is not what the bench writes")
