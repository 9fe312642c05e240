"""Read trace.dat, versions 6 and 7.   Ref: trace-cmd.dat.v6(5), trace-cmd.dat.v7(5)"""
from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.errors import RecordError
from bench.trace.dat import sections, trailer
from bench.trace.dat.sections import MAGIC, MOST_CPUS, Parts, Reader
from bench.trace.dat.v7 import version_7
from bench.trace.recording import Recording


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
        version_7(reader, parts)
        more = {}
    return _recording(parts, bool(endian), long_size, where, more)


def _recording(parts: Parts, big_endian: bool, long_size: int, where: str, more: dict[str, Any]) -> Recording:
    """Parts of a file → Recording; `more` is the bench's own trailer after the pages."""
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


def _version_6(reader: Reader, parts: Parts) -> None:
    for read in (sections.headers, sections.ftrace_events, sections.event_formats, sections.kallsyms, sections.printk,
                 sections.cmdlines):
        read(reader, parts)
    cpus = sections.count_of(reader, "CPUs", MOST_CPUS)
    kind = reader.take(10, "kind of data")
    if kind == b"options  \0":
        for number, option in options(reader):
            sections.read_option(number, option, parts)
        kind = reader.take(10, "kind of data")
    if kind != b"flyrecord\0":
        raise reader.fail(f"kind of data {kind!r}: only b'flyrecord\\0' has pages")
    for cpu in range(cpus):
        offset, size = reader.number(8, f"offset of cpu {cpu}"), reader.number(8, f"size of cpu {cpu}")
        if parts.add(reader, cpu, size):
            parts.offsets.append(offset)
            parts.pages.append(sections.pages(reader, offset, size, cpu))
    sections.apart(reader, parts)
    if not parts.pages and cpus:
        parts.cpus, parts.offsets, parts.pages = [0], [0], [b""]


def options(reader: Reader) -> Iterator[tuple[int, Reader]]:
    """The options of version 6: number, and a cursor over its data; ends with number 0."""
    while number := reader.number(2, "number of an option"):
        size = reader.number(4, f"size of option {number}")
        at = reader.at
        yield number, Reader(reader.take(size, f"option {number}"), reader.where, reader.order, 0, reader.base + at)
