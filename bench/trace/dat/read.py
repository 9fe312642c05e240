"""Read trace.dat, versions 6 and 7.   Ref: trace-cmd.dat.v6(5), trace-cmd.dat.v7(5)"""
from __future__ import annotations

import itertools
import mmap
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard

from bench.errors import RecordError
from bench.trace.dat import trailer
from bench.trace.recording import Recording, parse_cmdlines

MAGIC = b"\x17\x08\x44tracing"
# Of version 6 and 7 alike. Ref: trace-cmd.dat.v7(5), OPTIONS SECTION
DONE, CPUSTAT, BUFFER, TRACECLOCK = 0, 2, 3, 4
UNREAD = {7: "a fixed offset of all times", 22: "text of a latency tracer"}
HEADERS, FTRACE_EVENTS, EVENT_FORMATS, KALLSYMS, PRINTK, CMDLINES = range(16, 22)
# A file may not make us fill memory: unpacked bytes are limited, each piece and in all, and in proportion to the file.
LARGEST_META = 1 << 30
LARGEST_CHUNK = 1 << 28
LARGEST_IN_ALL = 1 << 35
LARGEST_RATIO = 1000
MOST_CPUS = 1 << 14
MOST_FORMATS = 1 << 16


@dataclass
class Reader:
    """A cursor in some bytes of a file, refusing to read past their end."""

    data: Any
    where: str
    order: Any = "little"
    at: int = 0
    base: int = 0  # of these bytes in the file, for messages

    def fail(self, reason: str) -> RecordError:
        """The error to raise for what is wrong at the cursor."""
        return RecordError(f"{self.place}: {reason}")

    def take(self, size: int, what: str) -> bytes:
        """The next bytes."""
        if size > len(self.data) - self.at:
            raise self.fail(f"{what} needs {size} bytes, {len(self.data) - self.at} are left")
        self.at += size
        return bytes(self.data[self.at - size:self.at])

    def number(self, size: int, what: str) -> int:
        """The next number of `size` bytes."""
        return int.from_bytes(self.take(size, what), self.order)

    def string(self, what: str, most: int = 4096) -> str:
        """The next NUL-terminated text."""
        end = bytes(self.data[self.at:self.at + most]).find(b"\0")
        if end < 0:
            raise self.fail(f"{what} has no end within {most} bytes")
        return self.take(end + 1, what)[:-1].decode("utf-8", "backslashreplace")

    def expect(self, words: bytes) -> None:
        """The next bytes must be these."""
        got = self.take(len(words), repr(words))
        if got != words:
            self.at -= len(words)
            raise self.fail(f"expected {words!r}, found {got!r}")

    @property
    def place(self) -> str:
        """The cursor's place, for messages."""
        return f"{self.where}: offset {self.base + self.at}"

    def part(self, offset: int, what: str) -> Reader:
        """Another cursor in the same bytes."""
        if offset > len(self.data):
            raise self.fail(f"{what} is at offset {offset}, the file has {len(self.data)} bytes")
        return Reader(self.data, self.where, self.order, offset, self.base)


@dataclass
class Parts:
    """What the sections of a file hold, as they are found."""

    header_page: str = ""
    header_event: str = ""
    formats: dict[str, str] = field(default_factory=dict)
    kallsyms: str = ""
    printk: str = ""
    cmdlines: dict[int, str] = field(default_factory=dict)
    stats: list[str] = field(default_factory=list)
    clock: str = ""
    page_size: int = 0
    cpus: list[int] = field(default_factory=list)
    pages: list[Any] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def add(self, reader: Reader, cpu: int, size: int) -> bool:
        """Note that a CPU has `size` bytes of pages; False when it has none. One CPU has one place in a file."""
        if cpu >= MOST_CPUS or cpu in self.cpus:
            raise reader.fail(f"cpu {cpu} is there twice" if cpu in self.cpus else
                              f"cpu {cpu}, at most {MOST_CPUS} can be")
        if size:
            self.cpus.append(cpu)
        return bool(size)


def load(path: Path) -> Recording:
    """Read a file; pages stay in the file (mapped), compressed ones are unpacked to a temporary file when large."""
    where = str(path)
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) if size else memoryview(b"")
    except OSError as error:
        raise RecordError(f"{where}: {error.strerror or error}") from error
    reader = Reader(data, where)
    if bytes(data[:len(MAGIC)]) != MAGIC:
        raise reader.fail("not a trace.dat: it does not begin with 17 08 44 'tracing'")
    reader.at = len(MAGIC)
    version = reader.string("version", 16)
    endian, long_size = reader.take(2, "endianness and size of long")
    if version not in ("6", "7") or endian > 1 or long_size not in (4, 8):
        raise reader.fail(f"version {version!r}, endianness {endian}, long of {long_size} bytes: "
                          "only versions 6 and 7, endianness 0 or 1 and longs of 4 or 8 bytes can be read")
    reader.order = "big" if endian else "little"
    parts = Parts(page_size=reader.number(4, "page size"))
    if version == "6":
        _version_6(reader, parts)
        more = trailer.read(reader)
    else:
        from bench.trace.dat.v7 import version_7
        version_7(reader, parts)
        more = {}
    return _recording(parts, bool(endian), long_size, where, more)


def _recording(parts: Parts, big_endian: bool, long_size: int, where: str, more: dict[str, Any]) -> Recording:
    """Parts of a file → Recording; `more` is what a bench of ours wrote behind the pages."""
    commit = re.search(r"commit;\s*offset:\d+;\s*size:(\d+)", parts.header_page)
    kernel_long = int(commit[1]) if commit and commit[1] in ("4", "8") else long_size
    try:
        return Recording(
            parts.pages, parts.formats, parts.header_page, parts.header_event, kernel_long, big_endian, parts.page_size,
            parts.cpus, stats_before=more.get("stats_before", ()), stats_after=more.get("stats_after", parts.stats),
            cmdlines=parts.cmdlines, missing=more.get("missing", {}), armed=more.get("armed"),
            foreign=more.get("foreign", True), functions=more.get("functions", ()),
            histograms=more.get("histograms", {}),
            kallsyms=parts.kallsyms, printk_formats=parts.printk, clock=parts.clock or "local",
            began_ns=more.get("began_ns"), ended_ns=more.get("ended_ns"), name=where, offsets=parts.offsets,
            places=parts.places,
            unread=[*parts.unread, *(f"our trailer's {key!r}" for key in more if key not in trailer.KEYS)])
    except (TypeError, ValueError) as error:
        raise RecordError(f"{where}: {error}") from error


def headers(reader: Reader, parts: Parts) -> None:
    """`header_page` and `header_event`."""
    reader.expect(b"header_page\0")
    size = reader.number(8, "size of header_page")
    parts.places["header_page"] = reader.place
    parts.header_page = _text(reader, size, "header_page")
    reader.expect(b"header_event\0")
    parts.header_event = _text(reader, reader.number(8, "size of header_event"), "header_event")


def ftrace_events(reader: Reader, parts: Parts) -> None:
    """Formats of the tracers' own events: print, function, kernel_stack …"""
    for _ in range(_count(reader, "ftrace formats", MOST_FORMATS)):
        _format(reader, parts, "ftrace")


def event_formats(reader: Reader, parts: Parts) -> None:
    """Formats of all other systems."""
    for _ in range(_count(reader, "systems", MOST_FORMATS)):
        system = reader.string("name of a system", 256)
        for _ in range(_count(reader, f"events of {system}", MOST_FORMATS)):
            _format(reader, parts, system)


def kallsyms(reader: Reader, parts: Parts) -> None:
    """Function addresses."""
    parts.kallsyms = _text(reader, reader.number(4, "size of kallsyms"), "kallsyms")


def printk(reader: Reader, parts: Parts) -> None:
    """Formats of trace_printk()."""
    parts.printk = _text(reader, reader.number(4, "size of printk formats"), "printk formats")


def cmdlines(reader: Reader, parts: Parts) -> None:
    """Process names."""
    parts.cmdlines = parse_cmdlines(_text(reader, reader.number(8, "size of command lines"), "command lines"))


def _format(reader: Reader, parts: Parts, system: str) -> None:
    size = reader.number(8, "size of a format")
    place = reader.place
    text = _text(reader, size, f"a format of {system}")
    name = re.search(r"^name:\s*(\S+)", text, re.M)
    if name is None:
        reader.at -= size
        raise reader.fail(f"a format of {system} has no line 'name:'")
    full_name = f"{system}:{name[1]}"
    if full_name in parts.formats:
        reader.at -= size
        raise reader.fail(f"the format of {full_name} is there twice")
    parts.formats[full_name], parts.places[full_name] = text, place


def _text(reader: Reader, size: int, what: str) -> str:
    return reader.take(size, what).decode("utf-8", "backslashreplace").rstrip("\0")


def _count(reader: Reader, what: str, most: int) -> int:
    count = reader.number(4, f"number of {what}")
    if count > most:
        raise reader.fail(f"{count} {what}, at most {most} can be")
    return count


def _version_6(reader: Reader, parts: Parts) -> None:
    for read in (headers, ftrace_events, event_formats, kallsyms, printk, cmdlines):
        read(reader, parts)
    cpus = _count(reader, "CPUs", MOST_CPUS)
    kind = reader.take(10, "kind of data")
    if kind == b"options  \0":
        for number, option in options(reader):
            read_option(number, option, parts)
        kind = reader.take(10, "kind of data")
    if kind != b"flyrecord\0":
        raise reader.fail(f"kind of data {kind!r}: only b'flyrecord\\0' has pages")
    for cpu in range(cpus):
        offset, size = reader.number(8, f"offset of cpu {cpu}"), reader.number(8, f"size of cpu {cpu}")
        if parts.add(reader, cpu, size):
            parts.offsets.append(offset)
            parts.pages.append(pages(reader, offset, size, cpu))
    apart(reader, parts)
    if not parts.pages and cpus:
        parts.cpus, parts.offsets, parts.pages = [0], [0], [b""]


def pages(reader: Reader, offset: int, size: int, cpu: int) -> Any:
    """The pages of one CPU, where they are in the file."""
    if offset + size > len(reader.data):
        raise reader.fail(f"pages of cpu {cpu} are at {offset}, {size} bytes long, "
                          f"the file has {len(reader.data)} bytes")
    return reader.data[offset:offset + size]


def apart(reader: Reader, parts: Parts) -> None:
    """The pages of CPUs may not overlap: a small file could claim any number of events."""
    spans = sorted((offset, offset + len(pages), cpu)
                   for offset, pages, cpu in zip(parts.offsets, parts.pages, parts.cpus, strict=True))
    for (_, end, cpu), (start, _, other) in itertools.pairwise(spans):
        if start < end:
            raise reader.part(start, "pages").fail(f"pages of cpu {other} begin within those of cpu {cpu}")


def options(reader: Reader) -> Iterator[tuple[int, Reader]]:
    """The options of version 6: number, and a cursor over its data; ends with number 0."""
    while number := reader.number(2, "number of an option"):
        size = reader.number(4, f"size of option {number}")
        at = reader.at
        yield number, Reader(reader.take(size, f"option {number}"), reader.where, reader.order, 0, reader.base + at)


def read_option(number: int, option: Reader, parts: Parts) -> None:
    """Options that both versions have; what a Trace does not need is passed over, as the format asks."""
    if number == CPUSTAT:
        parts.stats.append(_text(option, len(option.data), "stats"))
    elif number == BUFFER:  # of version 6
        option.at = min(8, len(option.data))
        parts.unread.append(f"instance {_text(option, len(option.data) - option.at, 'name of an instance')!r}")
    elif number in UNREAD:
        parts.unread.append(UNREAD[number])
    elif number == TRACECLOCK:
        text = _text(option, min(len(option.data), 4096), "clocks")
        chosen = re.search(r"\[([^\]]+)\]", text)
        parts.clock = chosen[1] if chosen else text.strip()


def unpack(name: str) -> Callable[[bytes, int], bytes]:
    """The decompressor for an algorithm's name: (data, exact size of the result) → bytes, else ValueError."""
    def zstd(data: bytes, size: int) -> bytes:
        with zstandard.ZstdDecompressor().stream_reader(data) as stream:
            return bytes(stream.read(size + 1))

    def deflate(data: bytes, size: int) -> bytes:
        return zlib.decompressobj().decompress(data, size + 1)

    known: dict[str, Callable[[bytes, int], bytes]] = {"zstd": zstd, "zlib": deflate}
    if name not in known:
        raise ValueError(f"compressed with {name!r}; zlib and zstd can be read")
    chosen = known[name]

    def checked(data: bytes, size: int) -> bytes:
        try:
            made = chosen(data, size)
        except (zlib.error, zstandard.ZstdError) as error:
            raise ValueError(f"{name}: {error}") from error
        if len(made) != size:
            more = "more than" if len(made) > size else "fewer than"
            raise ValueError(f"{name}: unpacks to {more} the {size} bytes it claims")
        return made
    return checked
