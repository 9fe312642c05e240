"""The sections of trace.dat that versions 6 and 7 have in common, and a cursor to read them with.

Ref: trace-cmd.dat.v6(5), trace-cmd.dat.v7(5)
"""
from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import Any

from bench.errors import RecordError
from bench.trace.recording import parse_cmdlines

MAGIC = b"\x17\x08\x44tracing"
# Of version 6 and 7 alike. Ref: trace-cmd.dat.v7(5), OPTIONS SECTION
DONE, CPUSTAT, BUFFER, TRACECLOCK = 0, 2, 3, 4
UNREAD = {7: "a fixed offset of all times", 22: "text of a latency tracer"}
HEADERS, FTRACE_EVENTS, EVENT_FORMATS, KALLSYMS, PRINTK, CMDLINES = range(16, 22)
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
        """The error to raise at the cursor, with its place."""
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
    """The contents of a file's sections, collected while reading."""

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


def headers(reader: Reader, parts: Parts) -> None:
    """`header_page` and `header_event`."""
    reader.expect(b"header_page\0")
    size = reader.number(8, "size of header_page")
    parts.places["header_page"] = reader.place
    parts.header_page = text(reader, size, "header_page")
    reader.expect(b"header_event\0")
    parts.header_event = text(reader, reader.number(8, "size of header_event"), "header_event")


def ftrace_events(reader: Reader, parts: Parts) -> None:
    """Formats of the tracers' own events: print, function, kernel_stack …"""
    for _ in range(count_of(reader, "ftrace formats", MOST_FORMATS)):
        _format(reader, parts, "ftrace")


def event_formats(reader: Reader, parts: Parts) -> None:
    """Formats of all other systems."""
    for _ in range(count_of(reader, "systems", MOST_FORMATS)):
        system = reader.string("name of a system", 256)
        for _ in range(count_of(reader, f"events of {system}", MOST_FORMATS)):
            _format(reader, parts, system)


def kallsyms(reader: Reader, parts: Parts) -> None:
    """Function addresses."""
    parts.kallsyms = text(reader, reader.number(4, "size of kallsyms"), "kallsyms")


def printk(reader: Reader, parts: Parts) -> None:
    """Formats of trace_printk()."""
    parts.printk = text(reader, reader.number(4, "size of printk formats"), "printk formats")


def cmdlines(reader: Reader, parts: Parts) -> None:
    """Process names."""
    parts.cmdlines = parse_cmdlines(text(reader, reader.number(8, "size of command lines"), "command lines"))


def _format(reader: Reader, parts: Parts, system: str) -> None:
    size = reader.number(8, "size of a format")
    place = reader.place
    body = text(reader, size, f"a format of {system}")
    name = re.search(r"^name:\s*(\S+)", body, re.M)
    if name is None:
        reader.at -= size
        raise reader.fail(f"a format of {system} has no line 'name:'")
    full_name = f"{system}:{name[1]}"
    if full_name in parts.formats:
        reader.at -= size
        raise reader.fail(f"the format of {full_name} is there twice")
    parts.formats[full_name], parts.places[full_name] = body, place


def text(reader: Reader, size: int, what: str) -> str:
    """The next `size` bytes as text."""
    return reader.take(size, what).decode("utf-8", "backslashreplace").rstrip("\0")


def count_of(reader: Reader, what: str, most: int) -> int:
    """The next number: how many of something follow; RecordError for more than `most`."""
    count = reader.number(4, f"number of {what}")
    if count > most:
        raise reader.fail(f"{count} {what}, at most {most} can be")
    return count


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


def read_option(number: int, option: Reader, parts: Parts) -> None:
    """Options that both versions have; options that a Trace does not need are skipped, as the format requires."""
    if number == CPUSTAT:
        parts.stats.append(text(option, len(option.data), "stats"))
    elif number == BUFFER:  # of version 6
        option.at = min(8, len(option.data))
        parts.unread.append(f"instance {text(option, len(option.data) - option.at, 'name of an instance')!r}")
    elif number in UNREAD:
        parts.unread.append(UNREAD[number])
    elif number == TRACECLOCK:
        clocks = text(option, min(len(option.data), 4096), "clocks")
        chosen = re.search(r"\[([^\]]+)\]", clocks)
        parts.clock = chosen[1] if chosen else clocks.strip()
