"""Every form of record, byte order, size of long and sub-buffer decodes to what was written."""
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import RecordError
from bench.trace import Gap, Trace, ring_buffer
from tests.trace.pages import FORMATS, Layout, Writer, payload, recording, simple

LAYOUTS = [Layout(), Layout(long=4), Layout(big=True), Layout(big=True, long=4), Layout(long=4, size=65536)]


@pytest.fixture(params=["loop", "lockstep"], autouse=True)
def way(request, monkeypatch):
    """Both ways of walking a page."""
    monkeypatch.setattr(ring_buffer, "FEW_PAGES", 10**9 if request.param == "loop" else 0)


def opened(layout, key=7, value=-2):
    return payload(layout, "t:open", 42, key=key, value=value, flags=1)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_event_has_its_time_cpu_pid_flags_and_fields(layout):
    writer = Writer(layout)
    writer.event(1000, opened(layout))
    writer.event(1007, opened(layout, 8, 9))
    trace = Trace(recording([Writer(layout), writer], layout))
    assert trace["t:open"][["ts", "cpu", "pid", "common_flags", "key", "value"]].tolist() == [
        (1000, 1, 42, 1, 7, -2), (1007, 1, 42, 1, 8, 9)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_long_data_time_extend_time_stamp_and_padding(layout):
    writer = Writer(layout)
    writer.event(100, opened(layout), long=True)
    writer.extend(1 << 40)
    writer.event(100 + (1 << 40) + 5, opened(layout))
    writer.discarded(3, 20)
    writer.discarded(2, 4)
    writer.event(100 + (1 << 40) + 20, opened(layout))
    writer.stamp((1 << 50) + 12345)
    writer.event((1 << 50) + 12346, opened(layout))
    writer.rest_empty()
    trace = Trace(recording([writer], layout))
    assert trace["open"]["ts"].tolist() == [100, (1 << 40) + 105, (1 << 40) + 120, (1 << 50) + 12346]


def test_a_time_stamp_takes_its_top_bits_from_the_page():
    writer = Writer()
    writer.begin(0xA8 << 56)
    writer.stamp((0xA8 << 56) + 77)
    writer.event((0xA8 << 56) + 80, opened(Layout()))
    assert Trace(recording([writer]))["open"]["ts"].tolist() == [(0xA8 << 56) + 80]


def test_a_page_that_begins_with_a_time_stamp():
    writer = Writer()
    writer.begin(5)
    writer.stamp(1000)
    writer.event(1001, opened(Layout()))
    writer.begin(2000)
    writer.event(2001, opened(Layout()))
    assert Trace(recording([writer]))["open"]["ts"].tolist() == [1001, 2001]


@pytest.mark.parametrize("words", range(2, 29))
def test_every_short_length(words):
    writer = Writer()
    data = struct.pack("<HBBi", 307, 0, 0, 9).ljust(4 * words, b"\0")
    if words > 3:
        data = payload(Layout(), "t:tail", 1, ip=3, buf="x" * (4 * words - 13))
    writer.event(10, data)
    writer.event(11, opened(Layout()))
    more = FORMATS["t:open"].replace("ID: 301", "ID: 307").replace("name: open", "name: bare")
    bare = "".join(line for line in more.splitlines(keepends=True) if "u32 key" not in line and "s32 value" not in line)
    base = recording([writer])
    trace = Trace.from_pages(base.pages, {**FORMATS, "t:bare": bare}, header_page=base.header_page)
    assert len(trace) == 2 and trace["open"]["ts"].tolist() == [11]
    if words > 3:
        assert trace.strings("tail", "buf").tolist() == ["x" * (4 * words - 13)]


def test_missed_events_are_located_and_counted_where_the_kernel_stored_the_count():
    writer = Writer()
    writer.event(10, opened(Layout()))
    writer.begin(100, missed=26928)
    writer.event(101, opened(Layout()))
    writer.begin(200, missed=0)
    writer.event(205, opened(Layout()))
    trace = Trace(recording([writer]))
    assert trace.gaps == [Gap(0, 10, 101, 26928), Gap(0, 101, 205, None)]
    assert trace.lost == 26929


@pytest.mark.parametrize("layout", [Layout(long=4), Layout(big=True), Layout(big=True, long=4)])
def test_a_stored_count_has_the_size_and_order_of_the_kernels_long(layout):
    writer = Writer(layout)
    writer.begin(100, missed=70000)
    writer.event(101, opened(layout))
    assert Trace(recording([writer], layout)).lost == 70000


def test_losses_come_from_the_stats_and_may_be_anywhere_when_no_page_tells():
    before, after = "entries: 0\noverrun: 3\ncommit overrun: 0\n", {"overrun": 8, "dropped events": 2}
    trace = simple((5, 0, "t:open", 1, 1), stats_before=[before, {}], stats_after=[after, {}])
    assert trace.lost == 7
    assert trace.gaps == [Gap(0, None, None, 7)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_strings_locations_arrays_and_tails(layout):
    writer = Writer(layout)
    writer.event(1, payload(layout, "t:named", 5, name="eth0", comm="swapper", port=80, mac=b"\1\2\3\4\5\6",
                            rest=b"\0ab"))
    writer.event(2, payload(layout, "t:named", 5, name="", comm="", port=65535, mac=b"\xff" * 6, rest=b""))
    writer.event(3, payload(layout, "t:tail", 5, ip=1, buf="hil: step=0 begin\n"))
    writer.event(4, payload(layout, "t:words", 5, tiny=-3, flag=True, pair=(-1, 2, 3), wide=2**63 + 1,
                            signed_long=-2**40, pid=77))
    trace = Trace(recording([writer], layout))
    assert trace.strings("named", "name").tolist() == ["eth0", ""]
    assert trace.strings("named", "comm").tolist() == ["swapper", ""]
    assert trace.payloads("named", "rest") == [b"\0ab", b""]
    assert trace["named"]["mac"].tolist() == [[1, 2, 3, 4, 5, 6], [255] * 6]
    assert trace["named"]["port"].tolist() == [80, 65535]
    assert trace.strings("tail", "buf").tolist() == ["hil: step=0 begin\n"]
    assert trace["words"][["pid", "tiny", "flag", "wide", "signed_long", "pid_"]].tolist() == [
        (5, -3, 1, 2**63 + 1, -2**40, 77)]
    assert trace["words"]["pair"].tolist() == [[-1, 2, 3]]
    assert next(w.fields for w in trace.merged()) == {
        "name": "eth0", "comm": "swapper", "port": 80, "mac": [1, 2, 3, 4, 5, 6], "rest": b"\0ab"}


def test_strings_of_some_records_only():
    writer = Writer()
    for number in range(5):
        writer.event(number, payload(Layout(), "t:tail", 5, ip=number, buf=f"step {number}"))
    trace = Trace(recording([writer]))
    late = trace["tail"][trace["tail"]["ip"] > 2]
    assert trace.strings("tail", "buf", late).tolist() == ["step 3", "step 4"]


def test_a_text_longer_than_a_page_of_the_usual_size():
    layout = Layout(long=4, size=65536)
    writer = Writer(layout)
    writer.event(1, payload(layout, "t:tail", 5, ip=1, buf="y" * 20000))
    writer.event(2, payload(layout, "t:tail", 5, ip=1, buf="z"))
    assert [len(text) for text in Trace(recording([writer], layout)).strings("tail", "buf")] == [20000, 1]


def test_cpus_are_merged_by_time_and_equal_times_stay_in_order_of_cpu():
    trace = simple((5, 1, "t:open", 1, 0), (5, 0, "t:open", 2, 0), (6, 1, "t:mark", 3, 0))
    assert [(w.ts, w.cpu, w.event) for w in trace.merged()] == [(5, 0, "t:open"), (5, 1, "t:open"), (6, 1, "t:mark")]
    assert trace["open"]["key"].tolist() == [2, 1]


def test_a_window_of_the_merged_events():
    trace = simple(*((10 * n, n % 2, "t:mark", n, 0) for n in range(10)))
    assert [w.fields["key"] for w in trace.merged(20, 50)] == [2, 3, 4]


def test_a_recording_without_events_or_cpus_is_still_a_trace():
    assert len(Trace.from_pages([], {})) == 0
    trace = Trace(recording([Writer(), Writer()]))
    assert len(trace) == 0 and trace["open"].size == 0 and list(trace.merged()) == [] and trace.events == {}


def test_process_names():
    trace = simple((1, 0, "t:mark", 0, 0), cmdlines={100: "python3"})
    assert (trace.comm(100), trace.comm(0), trace.comm(5)) == ("python3", "<idle>", "<...>")


EVENT = st.tuples(st.sampled_from(["t:open", "t:mark", "t:words", "t:named", "t:tail"]), st.integers(0, 2**16),
                  st.integers(-2**31, 2**31 - 1), st.text("abc/:-", max_size=200))
STEP = st.one_of(
    st.tuples(st.just("event"), st.integers(0, 1 << 28) | st.integers(0, 1 << 45) | st.just(0), EVENT, st.booleans()),
    st.tuples(st.just("extend"), st.integers(0, 1 << 50)),
    st.tuples(st.just("stamp"), st.integers(0, 1 << 40)),
    st.tuples(st.just("discarded"), st.integers(1, 1000), st.integers(1, 20)),
    st.tuples(st.just("page"), st.integers(0, 1000)),
)


def fields_of(event, key, value, text):
    if event == "t:words":
        return {"tiny": value % 128, "flag": value % 2, "pair": [value % 7, -3, 5], "wide": key << 40,
                "signed_long": value, "pid": key}
    if event == "t:named":
        return {"name": text, "comm": text[:7], "port": key % 65536, "mac": [key % 256] * 6,
                "rest": text.encode()[::-1]}
    return {"ip": key, "buf": text} if event == "t:tail" else {"key": key, "value": value}


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(LAYOUTS), st.lists(st.lists(STEP, max_size=40), min_size=1, max_size=3), st.integers(0, 1 << 55))
def test_whatever_is_written_is_read_back(layout, cpus, start):
    writers, expected = [], []
    for cpu, steps in enumerate(cpus):
        writer = Writer(layout)
        writer.begin(start)
        for step in steps:
            if writer.room() < 700:
                writer.begin(writer.now)
            if step[0] == "event":
                _, delta, (event, key, value, text), long = step
                fields, ts = fields_of(event, key, value, text), writer.now + delta
                written = dict(fields, mac=bytes(fields["mac"])) if "mac" in fields else fields
                writer.event(ts, payload(layout, event, cpu, **written), long)
                expected.append((ts, cpu, event, fields))
            elif step[0] == "extend":
                writer.extend(step[1])
            elif step[0] == "stamp":
                writer.stamp(writer.now + step[1])
            elif step[0] == "discarded":
                writer.discarded(step[1], 4 * step[2])
            else:
                writer.rest_empty()
                writer.begin(writer.now + step[1])
        writers.append(writer)
    trace = Trace(recording(writers, layout))
    expected.sort(key=lambda one: (one[0], one[1]))
    assert [(w.ts, w.cpu, w.event, w.fields) for w in trace.merged()] == expected
    for event in trace.events:
        mine = [one for one in expected if one[2] == event]
        assert trace[event]["ts"].tolist() == [one[0] for one in mine]
        for name in ("key", "value", "ip", "port", "tiny", "wide", "signed_long"):
            if name in mine[0][3]:
                assert trace[event][name].tolist() == [one[3][name] for one in mine]
        for name in ("name", "comm", "buf"):
            if name in mine[0][3]:
                assert trace.strings(event, name).tolist() == [one[3][name] for one in mine]


def test_many_pages_give_the_same_by_both_ways(monkeypatch):
    writer = Writer()
    for number in range(20000):
        writer.event(number * 7, payload(Layout(), "t:open", 1, key=number % 97, value=number), long=number % 5 == 0)
    given_pages = recording([writer])
    monkeypatch.setattr(ring_buffer, "BLOCK_BYTES", 64 << 10)
    trace = Trace(given_pages)
    assert trace["open"]["value"].tolist() == list(range(20000))
    assert np.array_equal(trace["open"]["ts"], np.arange(20000) * 7)


def bad(change, layout=None):
    """A page with one event, changed, is refused; returns the message."""
    layout = layout or Layout()
    writer = Writer(layout)
    writer.event(1, opened(layout))
    blob = bytearray(writer.blob())
    change(blob)
    with pytest.raises(RecordError) as error:
        Trace.from_pages([bytes(blob)], FORMATS, header_page=layout.header_page(), name="some.dat")
    return str(error.value)


def put(at, fmt, *values):
    return lambda blob: struct.pack_into(fmt, blob, at, *values)


@pytest.mark.parametrize("change, words", [
    (put(8, "<I", 5000), "some.dat: offset 8: cpu 0: the page claims 5000 bytes of events, it can hold 4080"),
    (put(8, "<I", 22), "some.dat: offset 8: cpu 0: the page claims 22 bytes of events"),
    (put(12, "<I", 1), "some.dat: offset 8: cpu 0: the page's commit word has bits set above bit 31"),
    (put(16, "<I", 28), "some.dat: offset 16: cpu 0: a record reaches past the end of its page's events"),
    (put(16, "<II", 0, 4), "some.dat: offset 16: cpu 0: a record claims 4 bytes of 16 left"),
    (put(16, "<II", 0, 0xFFFFFFFF), "some.dat: offset 16: cpu 0: a record reaches past the end"),
    (put(16, "<II", 29 | 32, 4000), "some.dat: offset 16: cpu 0: a record reaches past the end"),
    (put(20, "<H", 999), "some.dat: offset 20: cpu 0: event id 999 has no format file among the 6 of the recording"),
    (lambda blob: blob.extend(b"xyz"), "some.dat: offset 4096: cpu 0: the last sub-buffer has 3 of 4096 bytes"),
])
def test_an_impossible_page_is_refused_with_file_offset_and_reason(change, words):
    assert words in bad(change)


def test_an_event_shorter_than_its_format_is_refused_when_it_is_decoded():
    writer = Writer()
    writer.event(1, opened(Layout())[:12])
    trace = Trace(recording([writer], name="some.dat"))
    with pytest.raises(RecordError, match=r"some.dat: offset 20: cpu 0: an event t:open of 12 bytes, its format .* 16"):
        trace["open"]


def test_a_location_past_its_event_is_refused():
    writer = Writer()
    data = bytearray(payload(Layout(), "t:named", 5, name="eth0", comm="", port=1, mac=bytes(6), rest=b""))
    struct.pack_into("<I", data, 8, 900 << 16 | 32)
    writer.event(1, bytes(data))
    trace = Trace(recording([writer], name="some.dat"))
    for ask in (lambda: trace.strings("named", "name"), lambda: list(trace.merged())):
        with pytest.raises(RecordError, match=r"some.dat: offset 20: cpu 0: t:named.name lies at 32, 900 bytes long"):
            ask()


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_pages_of_garbage_give_events_or_an_error_never_anything_else(data):
    layout = data.draw(st.sampled_from(LAYOUTS[:4]))
    writer = Writer(layout)
    for number in range(5):
        writer.event(number, payload(layout, "t:named", 5, name="eth0", comm="a", port=1, mac=bytes(6), rest=b"abc"))
        writer.event(number, opened(layout), long=True)
    blob = bytearray(writer.blob())
    for at, value in data.draw(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=8)):
        blob[at] = value
    try:
        trace = Trace.from_pages([bytes(blob)], FORMATS, long_size=layout.long, big_endian=layout.big, subbuf_size=4096)
        for witness in trace.merged():
            assert witness.event in FORMATS
        for event in trace.events:
            assert len(trace[event]) == trace.events[event]
    except RecordError as error:
        assert "offset" in str(error)
