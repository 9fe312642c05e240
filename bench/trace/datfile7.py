"""The sections of trace.dat version 7, plain or compressed with zlib or zstd.   Ref: trace-cmd.dat.v7(5)"""
from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable
from typing import Any

from bench.trace import datfile
from bench.trace.datfile import Parts, Reader

COMPRESSED = 1
SECTION_HEADER = 16
MOST_OPTIONS = 1 << 16
# Unpacked pages above this go to a temporary file instead of memory.
IN_MEMORY = 64 << 20
Unpack = Callable[[bytes, int], bytes]

_SECTIONS: dict[int, Callable[[Reader, Parts], None]] = {
    datfile.HEADERS: datfile.headers, datfile.FTRACE_EVENTS: datfile.ftrace_events,
    datfile.EVENT_FORMATS: datfile.event_formats, datfile.KALLSYMS: datfile.kallsyms, datfile.PRINTK: datfile.printk,
    datfile.CMDLINES: datfile.cmdlines}


def version_7(reader: Reader, parts: Parts) -> None:
    """Read everything behind the page size."""
    name, _ = reader.string("name of the compression", 64), reader.string("version of the compression", 64)
    unpack = None
    if name != "none":
        try:
            unpack = datfile.unpack(name)
        except ValueError as error:
            raise reader.fail(str(error)) from error
    place, seen, buffers = reader.number(8, "offset of the options"), set[int](), list[Reader]()
    while place:
        if place in seen:
            raise reader.part(place, "options").fail("the options sections go in a circle")
        seen.add(place)
        place = _options(_section(reader, place, 0, unpack), reader, parts, unpack, buffers)
    for option in buffers[:1]:  # the first is the instance that was recorded; guests and others have their own names
        _buffer(option, reader, parts, unpack)


def _section(reader: Reader, place: int, number: int, unpack: Unpack | None) -> Reader:
    """A cursor over a section's bytes, unpacked."""
    head = reader.part(place, f"section {number}")
    found, flags = head.number(2, "number of a section"), head.number(2, "flags of a section")
    head.number(4, "name of a section")
    size = head.number(8, "size of a section")
    if found != number:
        head.at = place
        raise head.fail(f"section {number} expected, {found} found")
    if number == 3:  # pages: their own form of compression
        return head
    if not flags & COMPRESSED:
        return Reader(head.take(size, f"section {number}"), reader.where, reader.order, 0, head.base + head.at - size)
    at = head.at
    data = _chunk(head, unpack, datfile.LARGEST_META)
    return Reader(data, f"{reader.where}: section {number} at {at}, unpacked", reader.order)


def _chunk(head: Reader, unpack: Unpack | None, most: int) -> bytes:
    """One compressed piece: its two sizes, then its bytes."""
    at = head.at
    packed, plain = head.number(4, "compressed size"), head.number(4, "uncompressed size")
    data = head.take(packed, "compressed data")
    head.at, after = at, head.at
    if unpack is None:
        raise head.fail("a compressed section in a file that names no compression")
    if plain > most or plain > datfile.LARGEST_RATIO * packed + (1 << 20):
        raise head.fail(f"{packed} compressed bytes claim to unpack to {plain}")
    try:
        made = unpack(data, plain)
    except ValueError as error:
        raise head.fail(str(error)) from error
    head.at = after
    return made


def _options(section: Reader, reader: Reader, parts: Parts, unpack: Unpack | None, buffers: list[Reader]) -> int:
    """Read one options section; returns where the next one is, 0 for none."""
    for _ in range(MOST_OPTIONS):
        number, size = section.number(2, "number of an option"), section.number(4, "size of an option")
        option = Reader(section.take(size, f"option {number}"), section.where, reader.order, 0,
                        section.base + section.at - size)
        if number == datfile.DONE:
            return option.number(8, "offset of the next options")
        if number in _SECTIONS:
            found = _section(reader, option.number(8, f"offset of section {number}"), number, unpack)
            _SECTIONS[number](found, parts)
        elif number == datfile.BUFFER:
            buffers.append(option)
        else:
            datfile.read_option(number, option, parts)
    raise section.fail(f"more than {MOST_OPTIONS} options")


def _buffer(option: Reader, reader: Reader, parts: Parts, unpack: Unpack | None) -> None:
    """The BUFFER option: where each CPU's pages are."""
    section = reader.part(option.number(8, "offset of the pages"), "section of pages")
    section.at += 2
    compressed = bool(section.number(2, "flags of the pages") & COMPRESSED)
    option.string("name of the instance")
    parts.clock = option.string("clock of the instance") or parts.clock
    parts.page_size = option.number(4, "page size")
    count = option.number(4, "number of CPUs")
    if count > datfile.MOST_CPUS:
        raise option.fail(f"{count} CPUs, at most {datfile.MOST_CPUS} can be")
    for _ in range(count):
        cpu = option.number(4, "cpu")
        offset, size = option.number(8, f"offset of cpu {cpu}"), option.number(8, f"size of cpu {cpu}")
        if not size:
            continue
        packed = datfile.pages(reader, offset, size, cpu)
        parts.cpus.append(cpu)
        parts.offsets.append(0 if compressed else offset)
        parts.pages.append(_unpacked(reader.part(offset, "pages"), size, unpack) if compressed else packed)
    if not parts.pages and count:
        parts.cpus, parts.offsets, parts.pages = [0], [0], [b""]


def _unpacked(head: Reader, size: int, unpack: Unpack | None) -> Any:
    """The chunks of one CPU, in memory or, when large, in a temporary file."""
    end = head.at + size
    total = 0
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        for _ in range(head.number(4, "number of chunks")):
            if head.at >= end:
                raise head.fail("chunks of compressed pages reach past their CPU's data")
            made = _chunk(head, unpack, datfile.LARGEST_CHUNK)
            total += len(made)
            file.write(made)
        if total <= IN_MEMORY:
            file.seek(0)
            return file.read()
        file.rollover()
        file.flush()
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
