"""Write trace.dat version 6, for `trace-cmd report` and KernelShark.   Ref: trace-cmd.dat.v6(5)

What that format has no place for (stats before, enabled and missing events, begin and end) follows behind the pages,
where its readers do not look.
"""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.trace.dat import trailer
from bench.trace.dat.sections import CPUSTAT, MAGIC, TRACECLOCK
from bench.trace.format import Layout
from bench.trace.recording import Recording

# libtraceevent requires both header files; this is the kernel's own text of events/header_event.
HEADER_EVENT = """# compressed entry header
	type_len    :    5 bits
	time_delta  :   27 bits
	array       :   32 bits

	padding     : type == 29
	time_extend : type == 30
	time_stamp : type == 31
	data max type_len  == 28
"""


def save(recording: Recording, layout: Layout, path: Path) -> None:
    """Write the recording beside `path` and rename it when complete."""
    order = "big" if layout.big_endian else "little"
    aside = path.with_name(f"{path.name}.part")
    with aside.open("wb") as file:
        head = b"".join(_head(recording, layout, order))
        cpus = max(recording.cpus, default=-1) + 1
        table = len(head) + 16 * cpus
        at = _aligned(table, layout.subbuf_size)
        blobs = dict(zip(recording.cpus, recording.pages, strict=True))
        file.write(head)
        for cpu in range(cpus):
            size = len(blobs.get(cpu, b""))
            file.write(_number(at, 8, order) + _number(size, 8, order))
            at += size
        file.write(b"\0" * (_aligned(table, layout.subbuf_size) - table))
        for cpu in range(cpus):
            file.write(blobs.get(cpu, b""))
        file.write(trailer.write(recording))
    aside.replace(path)


def _head(recording: Recording, layout: Layout, order: str) -> Iterator[bytes]:
    """Everything up to the table of CPUs."""
    yield MAGIC + b"6\0" + bytes([layout.big_endian, recording.long_size])
    yield _number(layout.subbuf_size, 4, order)
    yield b"header_page\0" + _sized(_header_page(layout), 8, order)
    yield b"header_event\0" + _sized(recording.header_event or HEADER_EVENT, 8, order)
    systems: dict[str, list[str]] = {}
    for name, text in recording.formats.items():
        systems.setdefault(name.partition(":")[0], []).append(text)
    yield _formats(systems.pop("ftrace", []), order)
    yield _number(len(systems), 4, order)
    for system, texts in systems.items():
        yield system.encode() + b"\0" + _formats(texts, order)
    yield _sized(recording.kallsyms, 4, order)
    yield _sized(recording.printk_formats, 4, order)
    yield _sized("".join(f"{pid} {comm}\n" for pid, comm in recording.cmdlines.items()), 8, order)
    yield _number(max(recording.cpus, default=-1) + 1, 4, order)
    yield b"options  \0"
    yield _option(TRACECLOCK, f"[{recording.clock}]", order)
    for number, stats in enumerate(recording.stats_after):
        cpu = recording.cpus[number] if number < len(recording.cpus) else number
        text = stats if isinstance(stats, str) else "".join(f"{key}: {value}\n" for key, value in stats.items())
        yield _option(CPUSTAT, f"CPU: {cpu}\n{text}", order)
    yield _number(0, 2, order) + b"flyrecord\0"


def _header_page(layout: Layout) -> str:
    """`events/header_page` of the sub-buffers as they were recorded, not of the top instance."""
    size = layout.commit_size
    return (f"\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
            f"\tfield: local_t commit;\toffset:8;\tsize:{size};\tsigned:1;\n"
            f"\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
            f"\tfield: char data;\toffset:{layout.data_offset};\tsize:{layout.subbuf_size - layout.data_offset};"
            f"\tsigned:1;\n")


def _formats(texts: list[str], order: str) -> bytes:
    return _number(len(texts), 4, order) + b"".join(_sized(text, 8, order) for text in texts)


def _option(number: int, text: str, order: str) -> bytes:
    return _number(number, 2, order) + _sized(text + "\0", 4, order)


def _sized(text: str, size: int, order: str) -> bytes:
    data = text.encode()
    return _number(len(data), size, order) + data


def _number(value: int, size: int, order: str) -> bytes:
    return value.to_bytes(size, order)  # type: ignore[arg-type]


def _aligned(offset: int, size: int) -> int:
    return -(-offset // size) * size
