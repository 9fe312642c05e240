"""The sections of trace.dat version 7, plain or compressed with zlib or zstd.   Ref: trace-cmd.dat.v7(5)"""
from __future__ import annotations

import itertools
import mmap
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.trace.dat import sections
from bench.trace.dat.packing import LARGEST_CHUNK, LARGEST_META, Packing, unpacker
from bench.trace.dat.sections import Parts, Reader

COMPRESSED = 1
SECTION_HEADER = 16
MOST_OPTIONS = 1 << 16
# Unpacked pages above this go to a temporary file instead of memory.
IN_MEMORY = 64 << 20

_SECTIONS: dict[int, Callable[[Reader, Parts], None]] = {
    sections.HEADERS: sections.headers, sections.FTRACE_EVENTS: sections.ftrace_events,
    sections.EVENT_FORMATS: sections.event_formats, sections.KALLSYMS: sections.kallsyms,
    sections.PRINTK: sections.printk, sections.CMDLINES: sections.cmdlines}


@dataclass
class Walk:
    """The sections named by options so far, to detect loops."""

    sections: set[int] = field(default_factory=set)
    options: int = 0
    buffers: list[Reader] = field(default_factory=list)


def version_7(reader: Reader, parts: Parts) -> None:
    """Read everything behind the page size."""
    name, _ = reader.string("name of the compression", 64), reader.string("version of the compression", 64)
    unpack = None
    if name != "none":
        try:
            unpack = unpacker(name)
        except ValueError as error:
            raise reader.fail(str(error)) from error
    packing, seen, walk = Packing(unpack, len(reader.data)), set[int](), Walk()
    place = reader.number(8, "offset of the options")
    while place:
        if place in seen:
            raise reader.part(place, "options").fail("the options sections go in a circle")
        seen.add(place)
        place = _options(_section(reader, place, 0, packing), reader, parts, packing, walk)
    for option in walk.buffers[:1]:  # the first is the instance that was recorded; guests and others have their own
        _buffer(option, reader, parts, packing)
    for option in walk.buffers[1:]:
        option.at += 8
        parts.unread.append(f"instance {option.string('name of an instance')!r}")


def _section(reader: Reader, place: int, number: int, packing: Packing) -> Reader:
    """A cursor over a section's bytes, unpacked."""
    head = reader.part(place, f"section {number}")
    stored, flags = head.number(2, "number of a section"), head.number(2, "flags of a section")
    head.number(4, "name of a section")
    size = head.number(8, "size of a section")
    if stored != number:
        head.at = place
        raise head.fail(f"section {number} expected, {stored} found")
    if not flags & COMPRESSED:
        return Reader(head.take(size, f"section {number}"), reader.where, reader.order, 0, head.base + head.at - size)
    at = head.at
    data = packing.chunk(head, LARGEST_META)
    return Reader(data, f"{reader.where}: section {number} at {at}, unpacked", reader.order)


def _options(section: Reader, reader: Reader, parts: Parts, packing: Packing, walk: Walk) -> int:
    """Read one options section; returns where the next one is, 0 for none."""
    while True:
        at = section.at
        number, size = section.number(2, "number of an option"), section.number(4, "size of an option")
        option = Reader(section.take(size, f"option {number}"), section.where, reader.order, 0,
                        section.base + section.at - size)
        walk.options += 1
        if walk.options > MOST_OPTIONS or number in walk.sections:
            section.at = at
            raise section.fail(f"section {number} is there twice" if number in walk.sections else
                               f"more than {MOST_OPTIONS} options")
        if number == sections.DONE:
            return option.number(8, "offset of the next options")
        if number in _SECTIONS:
            walk.sections.add(number)
            opened = _section(reader, option.number(8, f"offset of section {number}"), number, packing)
            _SECTIONS[number](opened, parts)
            if opened.at != len(opened.data):
                parts.unread.append(f"{len(opened.data) - opened.at} bytes at the end of section {number}")
        elif number == sections.BUFFER:
            walk.buffers.append(option)
        else:
            sections.read_option(number, option, parts)


def _buffer(option: Reader, reader: Reader, parts: Parts, packing: Packing) -> None:
    """The BUFFER option: where each CPU's pages are."""
    section = reader.part(option.number(8, "offset of the pages"), "section of pages")
    section.at += 2
    compressed = bool(section.number(2, "flags of the pages") & COMPRESSED)
    option.string("name of the instance")
    parts.clock = option.string("clock of the instance") or parts.clock
    parts.page_size = option.number(4, "page size")
    count = option.number(4, "number of CPUs")
    if count > sections.MOST_CPUS:
        raise option.fail(f"{count} CPUs, at most {sections.MOST_CPUS} can be")
    for _ in range(count):
        cpu = option.number(4, "cpu")
        offset, size = option.number(8, f"offset of cpu {cpu}"), option.number(8, f"size of cpu {cpu}")
        if parts.add(option, cpu, size):
            parts.offsets.append(offset)
            parts.pages.append(sections.pages(reader, offset, size, cpu))
    sections.apart(reader, parts)
    if compressed:
        places = [reader.part(offset, "pages") for offset in parts.offsets]
        parts.pages = _unpacked(places, [len(packed) for packed in parts.pages], packing)
        parts.offsets = [-1] * len(parts.pages)
    if not parts.pages and count:
        parts.cpus, parts.offsets, parts.pages = [0], [0], [b""]


def _unpacked(places: list[Reader], sizes: list[int], packing: Packing) -> list[Any]:
    """The chunks of all CPUs, one buffer in memory or, when large, a temporary file."""
    ends = []
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        for head, size in zip(places, sizes, strict=True):
            end = head.at + size
            for _ in range(head.number(4, "number of chunks")):
                if head.at >= end:
                    raise head.fail("chunks of compressed pages reach past their CPU's data")
                file.write(packing.chunk(head, LARGEST_CHUNK))
            if head.at not in (end, end + 4):  # trace-cmd leaves the count of chunks out of the size
                raise head.fail(f"the chunks of compressed pages end here, their CPU's data at {end}")
            ends.append(file.tell())
        if file.tell() <= IN_MEMORY:
            file.seek(0)
            whole = memoryview(file.read())
        else:
            file.rollover()
            file.flush()
            whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return [whole[start:end] for start, end in itertools.pairwise([0, *ends])]
