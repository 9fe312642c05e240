"""What must hold for any bytes at all, given as a trace.dat, as pages or as a kernel's text.

A recording or a RecordError that names file, offset and reason, nothing else; no event dropped; in bounded time.
By hand, for as long as one likes (with atheris, guided by coverage; without it, by chance):

    python -m tests.trace.fuzz SECONDS [FOLDER]      FOLDER keeps what was interesting from run to run
"""
import contextlib
import random
import struct
import sys
import tempfile
import time
import zlib
from pathlib import Path

import zstandard

atheris = None
if __name__ == "__main__":
    with contextlib.suppress(ImportError):
        import atheris
# What is to be covered has to be imported in here for the first time.
with atheris.instrument_imports(include=["bench.trace"]) if atheris else contextlib.nullcontext():
    from bench.export import perfetto, table
    from bench.trace.trace import Trace
    from tests.trace.pages import Layout, Writer, payload, recording
    from tests.trace.seven import version_7

MAGIC = b"\x17\x08\x44tracing"
LAYOUTS = [Layout(size=512), Layout(big=True, size=512), Layout(long=4, size=512), Layout(big=True, long=4, size=512)]
LONGEST = 5.0  # seconds of processor time for one input of some kilobytes, tracing of coverage included
ODD = (0, 1, 4, 5, 7, 8, 12, 28, 29, 30, 31, 32, 61, 127, 128, 255, 256, 4080, 4096, 65535, 65536, (1 << 27) - 1,
       1 << 27, 1 << 30, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 59, (1 << 63) - 1, (1 << 64) - 1)


def writers(layout):
    """Two CPUs with every form of record and of field."""
    first, second = Writer(layout), Writer(layout)
    first.event(1000, payload(layout, "t:open", 42, key=7, value=-2), long=True)
    first.event(1100, payload(layout, "t:named", 5, name="eth0", comm="swapper", port=80, mac=bytes(range(6)),
                              rest=b"ab"))
    first.extend(1 << 30)
    first.discarded(3, 20)
    first.stamp(1 << 40)
    first.event((1 << 40) + 1, payload(layout, "t:tail", 5, ip=1, buf="step 0 begin\n" * 4))
    first.begin((1 << 40) + 500, missed=7)
    first.event((1 << 40) + 501, payload(layout, "t:close", 42, key=7, value=1))
    first.rest_empty()
    for number in range(30):
        second.event(2000 + number, payload(layout, "t:words", 9, tiny=-3, flag=True, pair=(-1, 2, 3), wide=number,
                                            signed_long=-number, pid=77))
    return [first, second]


def seeds():
    """Whole and right inputs to start from."""
    made = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seed.dat"
        for layout in LAYOUTS:
            trace = Trace(recording(writers(layout), layout, cmdlines={42: "python3"}, missing={"t:gone": "not there"},
                                    stats_before=["overrun: 1\n"], stats_after=["overrun: 3\n"],
                                    kallsyms="c0008000 T stext\n"))
            trace.save(path)
            made.append(path.read_bytes())
            made.append(bytes([LAYOUTS.index(layout)]) + trace.recording.pages[0])
        plain = Trace(recording(writers(LAYOUTS[0]), LAYOUTS[0]))
        for name, compress in ((b"none", None), (b"zlib", zlib.compress), (b"zstd", zstandard.compress)):
            made.append(version_7(plain, name, compress, page=512))
        made += [b"\x10" + text.encode() for text in plain.recording.formats.values()]
        made.append(b"\x11" + LAYOUTS[0].header_page().encode())
        made.append(b"\x12entries: 5\noverrun: 3\nnow ts: 12.5\n 42 python3\n")
    return made


def damaged(data, steps):
    """Some bytes after the changes `steps`: (kind, where from 0 to 1, value)."""
    data = bytearray(data)
    for kind, where, value in steps:
        at = int(where * max(len(data) - 1, 0))
        if kind == "byte":
            data[at:at + 1] = bytes([value % 256])
        elif kind in ("<H", "<I", "<Q", ">I", ">Q"):
            size = struct.calcsize(kind)
            data[at:at + size] = struct.pack(kind, value % (1 << 8 * size))
        elif kind == "cut":
            del data[at:]
        elif kind == "remove":
            del data[at:at + value % 64]
        elif kind == "again":
            data[at:at] = data[at:at + value % 64]
        elif kind == "repeat":
            data[at:at] = bytes(data[at:at + 1 + value % 8]) * (value % 500)
    return bytes(data[:1 << 16])


KINDS = ("byte", "<H", "<I", "<Q", ">I", ">Q", "cut", "remove", "again", "repeat")


def one(data):
    """Give some bytes to what they are for; AssertionError or any other exception is a find."""
    began = time.process_time()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        if data.startswith(MAGIC[:4]):
            file(data, Path(folder))
        elif data:
            part(data[0], data[1:], Path(folder))
    took = time.process_time() - began
    assert took < LONGEST, f"{len(data)} bytes took {took:.1f} s"


def file(data, folder):
    path = folder / "some.dat"
    path.write_bytes(data)
    with refused(str(path)):
        examine(Trace.load(path), folder)


def part(kind, data, folder):
    from bench.trace.format import parse_format, parse_header_page
    from bench.trace.recording import losses, parse_cmdlines
    text = data.decode("utf-8", "backslashreplace")
    if kind < len(LAYOUTS):
        layout = LAYOUTS[kind]
        with refused("some.dat"):
            examine(Trace(recording([_Blob(data)], layout, name="some.dat")), folder)
    elif kind == 16:
        with refused("format of t:some"):
            parse_format(text, "t:some").dtype("<")
    elif kind == 17:
        with refused("header_page"):
            parse_header_page(text, long_size=8, big_endian=False)
    else:
        assert all(number >= 0 for number in losses([], [text]))
        parse_cmdlines(text)


class _Blob(Writer):
    """Pages as they are given."""

    def __init__(self, data):
        super().__init__()
        self.given = data

    def blob(self):
        return self.given


@contextlib.contextmanager
def refused(name):
    """A RecordError is an answer when it says where and why."""
    from bench.errors import RecordError
    try:
        yield
    except RecordError as error:
        said = str(error)
        assert said.startswith(name), said
        assert "offset " in said or "header_page" in said or "format of" in said, said


def examine(trace, folder):
    """Everything that can be asked of a trace; what was read is what an event-by-event reader counts."""
    name = trace.recording.name
    assert sum(trace.events.values()) == len(trace) == sum(
        count(bytes(pages), trace.layout) for pages in trace.recording.pages)
    assert trace.lost >= 0 and all(gap.count is None or gap.count >= 0 for gap in trace.gaps)
    merged = None
    with refused(name):
        merged = list(trace.merged())
        assert len(merged) == len(trace)
        assert [w.ts for w in merged] == sorted(w.ts for w in merged)
    for event, seen in trace.events.items():
        with refused(name):
            assert len(trace[event]) == seen
        for field in trace.formats[event].fields:
            with refused(name):
                if field.text and field.kind != "int":
                    assert len(trace.strings(event, field.name if field.name != "pid" else "pid_")) == seen
                assert len(trace.payloads(event, field.name if field.name != "pid" else "pid_")) == seen
        with refused(name):
            assert table.write_csv(trace, event, folder / "out.csv") == seen
    if merged is not None and len(merged) < 2000:
        with refused(name):
            perfetto.write(trace, folder / "out.pftrace")
        with refused(name):
            trace.save(folder / "out.dat")
            again = Trace.load(folder / "out.dat")
            assert list(again.merged()) == merged
            assert (again.lost, again.missing) == (trace.lost, trace.missing)


def count(data, layout):
    """Data events in pages, one by one: the simplest reader there could be."""
    order, found = ">" if layout.big_endian else "<", 0
    for start in range(0, len(data), layout.subbuf_size):
        page = data[start:start + layout.subbuf_size]
        commit = int.from_bytes(page[8:8 + layout.commit_size], "big" if layout.big_endian else "little")
        at, end = layout.data_offset, layout.data_offset + (commit & (1 << 30) - 1)
        while at < end:
            word, = struct.unpack_from(f"{order}I", page, at)
            kind, delta = (word >> 27, word & (1 << 27) - 1) if layout.big_endian else (word & 31, word >> 5)
            if 0 < kind < 29:
                found, at = found + 1, at + 4 + 4 * kind
            elif kind > 29:
                at += 8
            elif kind == 29 and delta == 0:
                break
            else:
                size, = struct.unpack_from(f"{order}I", page, at + 4)
                found, at = found + (kind == 0), at + 4 + (size + 3) // 4 * 4
    return found


def by_chance(seconds, start=None):
    """Damage seeds until the time is up; returns how many were tried."""
    start = time.time_ns() if start is None else start
    chosen, given, tried, end = random.Random(start), seeds(), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        steps = [(chosen.choice(KINDS), chosen.random() ** chosen.choice((1, 1, 3)),
                  chosen.choice(ODD) if chosen.random() < 0.6 else chosen.getrandbits(32))
                 for _ in range(chosen.randint(1, 5))]
        data = damaged(chosen.choice(given), steps)
        try:
            one(data)
        except BaseException:
            found = Path(tempfile.gettempdir()) / f"fuzz-{zlib.crc32(data):08x}"
            found.write_bytes(data)
            print(f"after {tried} inputs from {start}: {found}", file=sys.stderr)
            raise
        tried += 1
    return tried


def main(arguments):
    seconds = int(arguments[0])
    if atheris is None:
        print(f"{by_chance(seconds)} inputs by chance; with atheris (pip install '.[fuzz]') they follow the coverage")
        return
    with contextlib.ExitStack() as stack:
        folder = Path(arguments[1] if len(arguments) > 1 else stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds()):
            (folder / f"seed-{number}").write_bytes(seed)
        atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", "-max_len=65536", "-timeout=20", "-rss_limit_mb=1024",
                       "-print_final_stats=1", f"-artifact_prefix={tempfile.gettempdir()}/fuzz-", str(folder)], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
