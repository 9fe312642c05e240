"""What a recorder returns: raw pages and everything needed to read them later, immutable."""
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.errors import RecordError

# per_cpu/cpuN/stats lines that count events which never reached a reader.
LOSSES = ("overrun", "commit overrun", "dropped events")
Stats = Mapping[str, int | float]


@dataclass(frozen=True)
class Recording:
    """Raw input of a Trace, as the target's recorder returns it.

    `pages`: one blob of raw sub-buffers for each entry of `cpus`. `formats`: `system:event` → its format file's text.
    `long_size` [bytes] and `big_endian` are the kernel's. `subbuf_size` [bytes], 0 = as `header_page` says.
    `stats_before`, `stats_after`: per_cpu/cpuN/stats as texts or mappings, one a CPU. `missing`: event → why it could
    not be enabled. `armed`: the events that were enabled; None: all that have a format, or, when
    `foreign` (written by another program, which holds the formats of whole systems), those that were seen.
    `functions`: those traced by the function tracer, as set_ftrace_filter lists them: `name` or `name [module]`.
    `histograms`: `system:event hist:…` → what its hist file held at the end.
    `began_ns`, `ended_ns`: begin and end of the recording on its own clock.
    `name`: the file; `offsets`: where each CPU's pages are in it, -1 when they were compressed; `places`: where each
    format and `header_page` is; `unread`: other content that was not read, such as the pages of other instances.
    """

    pages: Sequence[Any]
    formats: Mapping[str, str]
    header_page: str = ""
    header_event: str = ""
    long_size: int = 8
    big_endian: bool = False
    subbuf_size: int = 0
    cpus: Sequence[int] = ()
    stats_before: Sequence[Stats | str] = ()
    stats_after: Sequence[Stats | str] = ()
    cmdlines: Mapping[int, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    armed: Sequence[str] | None = None
    foreign: bool = False
    functions: Sequence[str] = ()
    histograms: Mapping[str, str] = field(default_factory=dict)
    kallsyms: str = ""
    printk_formats: str = ""
    clock: str = "mono"
    began_ns: int | None = None
    ended_ns: int | None = None
    name: str = "recording"
    offsets: Sequence[int] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    unread: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.long_size not in (4, 8):
            raise RecordError(f"{self.name}: a kernel long of {self.long_size} bytes, expected 4 or 8")
        if not self.cpus:
            object.__setattr__(self, "cpus", tuple(range(len(self.pages))))
        if len(self.cpus) != len(self.pages):
            raise RecordError(f"{self.name}: {len(self.pages)} blobs of pages for {len(self.cpus)} CPUs")

    def where(self, number: int, at: int) -> str:
        """`file: offset N: cpu C` of byte `at` of a blob of pages, for messages."""
        offset = self.offsets[number] if self.offsets else 0
        place = f"offset {at} of the unpacked pages" if offset < 0 else f"offset {offset + at}"
        return f"{self.name}: {place}: cpu {self.cpus[number]}"


def parse_stats(stats: Stats | str) -> dict[str, int | float]:
    """The numbers of a per_cpu/cpuN/stats file: `overrun: 26928` → {"overrun": 26928}."""
    if not isinstance(stats, str):
        return dict(stats)
    numbers = {}
    for key, value in re.findall(r"^([^:\n]+):[ \t]*(\d{1,20}(?:\.\d{1,20})?)[ \t]*$", stats, re.M | re.A):
        numbers[key.strip()] = float(value) if "." in value else int(value)
    return numbers


def losses(before: Sequence[Stats | str], after: Sequence[Stats | str]) -> list[int]:
    """Events lost on each CPU between two readings of its stats."""
    lost = []
    for number, later in enumerate(after):
        earlier = parse_stats(before[number]) if number < len(before) else {}
        now = parse_stats(later)
        lost.append(sum(max(int(now.get(key, 0)) - int(earlier.get(key, 0)), 0) for key in LOSSES))
    return lost


def parse_cmdlines(text: str) -> dict[int, str]:
    """`saved_cmdlines` → pid → process name."""
    return {int(pid): comm for pid, comm in re.findall(r"^[ \t]*(\d{1,10}) (.*)$", text, re.M | re.A)}
