"""`bench trace show`: the events of a recording as lines, a summary by type above them."""
from __future__ import annotations

import argparse
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.cli.trace.common import (
    add_verb,
    event_line,
    gap_line,
    heading,
    load,
    matching,
    summary_lines,
    waiting,
)
from bench.errors import UsageError
from bench.trace import Gap, Trace
from bench.trace.text import visible

EXAMPLES = """  bench trace show some.dat --summary
  bench trace show some.dat -e 'spi:*' -e irq_handler_entry --head 20
  bench trace show some.dat --pid 231 --from 12.5 --to +0.25     the first quarter of a second after 12.5 s
"""
Rows = NDArray[np.uint32]


def add_parser(verbs: Any, help_: str) -> None:
    """Add `show`."""
    show = add_verb(verbs, "show", help_, EXAMPLES)
    show.add_argument("file", metavar="FILE", help="a trace.dat, version 6 or 7")
    show.add_argument("-e", dest="events", action="append", default=[], metavar="GLOB",
                      help="only events whose name, or system:name, matches; may be given several times")
    show.add_argument("--pid", action="append", type=int, default=[], metavar="N", help="only events of this process")
    show.add_argument("--from", dest="start", default="", metavar="S",
                      help="only from this time [s]; +S counts from the recording's start")
    show.add_argument("--to", dest="end", default="", metavar="S",
                      help="only before this time [s]; +S counts from --from, or from the recording's start")
    show.add_argument("--head", type=int, metavar="N", help="only the first N events")
    only = show.add_mutually_exclusive_group()
    only.add_argument("--summary", action="store_true", help="only the summary")
    only.add_argument("--events", dest="listing", action="store_true", help="only the events")


def run(options: argparse.Namespace) -> int:
    """Print the summary, the events, or both."""
    if options.head is not None and options.head < 0:
        raise UsageError(f"--head counts events: {options.head} is negative")
    trace = load(options.file)
    start = nanoseconds(options.start, "--from", trace.began or 0)
    end = nanoseconds(options.end, "--to", (trace.began or 0) if start is None else start)
    began, ended = trace.began or 0 if start is None else start, trace.ended or 0 if end is None else end
    events = matching(trace, options.events)
    everything = not options.pid and start is None and end is None
    if options.summary and everything:  # the index has the counts: no event need be decoded
        counts = {event: trace.events[event] for event in events}
    else:
        with waiting("sorting events"):
            chosen = select(trace, events, options.pid, start, end)
        counts = {event: len(rows) for event, rows in chosen.items()}
    if not options.listing:
        print("\n".join(summary_lines(trace, options.file)))
        print("\n".join(summary(counts, ended - began)))
    if not options.summary:
        for line in listing(trace, chosen, options.head):
            print(line)
    return 0


def nanoseconds(text: str, option: str, base: int) -> int | None:
    """`12.5` → 12500000000; `+0.25` → that after `base`; None for nothing."""
    if not text:
        return None
    match = re.fullmatch(r"(\+?)(\d+)(?:\.(\d{1,9}))?", text)
    if match is None:
        raise UsageError(f"{option} takes seconds such as 12.5 or +0.25, not {text!r}")
    ns = int(match[2]) * 10**9 + int((match[3] or "").ljust(9, "0"))
    return base + ns if match[1] else ns


def select(trace: Trace, events: list[str], pids: list[int], start: int | None, end: int | None) -> dict[str, Rows]:
    """For each event type the selected rows, by time."""
    chosen = {}
    for event in events:
        records = trace[event]
        keep = np.ones(records.size, np.bool_)
        if pids:
            keep &= np.isin(records["pid"], pids)
        if start is not None:
            keep &= records["ts"] >= start
        if end is not None:
            keep &= records["ts"] < end
        chosen[event] = records["row"][keep]
    return chosen


def summary(counts: dict[str, int], ns: int) -> Iterator[str]:
    """A line for each event type that was seen, most frequent first: count, events per second, share of all."""
    total = sum(counts.values())
    rows = [("event", "count", "per second", "share")]
    for event, count in sorted(counts.items(), key=lambda item: -item[1]):
        if count:
            rate = f"{count * 1e9 / ns:,.1f}" if ns > 0 else ""
            rows.append((visible(event), f"{count:,}", rate, f"{100 * count / total:.1f} %"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *figures in rows:
        yield "  ".join([f"{name:<{widths[0]}}", *map(str.rjust, figures, widths[1:])])


def listing(trace: Trace, chosen: dict[str, Rows], head: int | None) -> Iterator[str]:
    """The chosen events by time, with the gaps between them."""
    rows = np.concatenate([np.empty(0, np.uint32), *chosen.values()])
    rows = rows[np.argsort(trace.index.ts.take(rows), kind="stable")][:head]
    width = max([len(visible(event)) for event, some in chosen.items() if len(some)], default=5)
    yield heading(width)
    gaps = sorted(trace.gaps, key=_shown_at)
    for row in rows.tolist():
        witness = trace.witness_of_row(row)
        while gaps and _shown_at(gaps[0]) <= witness.ts:
            yield gap_line(gaps.pop(0))
        yield event_line(trace, witness, width)
    for gap in gaps if head is None else ():
        yield gap_line(gap)


def _shown_at(gap: Gap) -> float:
    """Where in the listing a gap goes: before what followed it; at the top when unknown."""
    if gap.before is not None:
        return gap.before
    return math.inf if gap.after is not None else -math.inf
