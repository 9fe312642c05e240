"""Shared by the trace commands: reading with progress, events as lines, control characters made visible."""
from __future__ import annotations

import argparse
import contextlib
import fnmatch
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.trace import Gap, Trace
from bench.trace.text import duration, field_text, visible
from bench.verdict import Witness

PATIENCE_S = 2.0  # longer operations are reported on the terminal
RAW = argparse.RawDescriptionHelpFormatter


def add_verb(verbs: Any, name: str, help_: str, examples: str) -> argparse.ArgumentParser:
    """Add one trace command, with its examples below the help."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        name, help=help_, description=f"{help_[0].upper()}{help_[1:]}.", epilog=f"example:\n{examples}",
        formatter_class=RAW)
    return parser


@contextlib.contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show `text` on a terminal when the operation takes longer than PATIENCE_S."""
    if not sys.stderr.isatty():
        yield
        return
    shown = ""

    def show() -> None:
        nonlocal shown
        shown = f"{text} …"
        print(shown, end="", file=sys.stderr, flush=True)

    timer = threading.Timer(PATIENCE_S, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        if shown:
            print(f"\r{'':{len(shown)}}", end="\r", file=sys.stderr, flush=True)


def load(path: str) -> Trace:
    """Read a recording; RecordError when it cannot be read, UsageError for a folder."""
    if Path(path).is_dir():
        raise UsageError(f"{path} is a folder; name a trace.dat, such as those in its traces/")
    with waiting(f"reading {path}"):
        return Trace.load(path)


def matching(trace: Trace, patterns: Sequence[str]) -> list[str]:
    """The recorded events that match any glob (all without globs); UsageError for a glob that matches no event."""
    if not patterns:
        return list(trace.events)
    events: dict[str, None] = {}
    for pattern in patterns:
        fits = [event for event in trace.events if fits_one(event, [pattern])]
        if not fits and not any(fits_one(event, [pattern]) for event in trace.formats):
            raise UsageError.unknown("event", pattern, trace.events)
        events |= dict.fromkeys(fits)
    return list(events)


def fits_one(event: str, patterns: Iterable[str]) -> bool:
    """True when `system:name`, or its name alone, matches a glob."""
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns for text in (event, event.partition(":")[2]))


def event_line(trace: Trace, witness: Witness, width: int) -> str:
    """time [s], cpu, process, event, fields; `width` is the event column's."""
    process = visible(f"{trace.comm(witness.pid)}-{witness.pid}")
    addresses = trace.formats[witness.event].addresses
    texts = {name: trace.kernel.name(value) if name in addresses else field_text(value, name)
             for name, value in witness.fields.items()}
    fields = " ".join(f"{visible(name)}={visible(text)}" for name, text in texts.items())
    return (f"{seconds(witness.ts):>16} {witness.cpu:>3}  {process:<20} {visible(witness.event):<{width}} "
            f"{fields}").rstrip()


def heading(width: int) -> str:
    """The names of the columns of `event_line`."""
    return f"{'time [s]':>16} {'cpu':>3}  {'process':<20} {'event':<{width}} fields"


def seconds(ns: int) -> str:
    """A time stamp as the kernel prints it, to the nanosecond."""
    return f"{ns // 10**9}.{ns % 10**9:09d}"


def gap_line(gap: Gap) -> str:
    """How many events were lost, on which CPU and between which times."""
    count = "an unknown number of events" if gap.count is None else f"{gap.count} event{'s' * (gap.count != 1)}"
    edges = [f"{word} {seconds(at)}" for word, at in (("after", gap.after), ("before", gap.before)) if at is not None]
    return f"  *** {count} lost on cpu {gap.cpu} {' and '.join(edges) or 'somewhere'}"


def summary_lines(trace: Trace, path: str) -> list[str]:
    """The summary of a recording, in a few lines."""
    began, ended = trace.began, trace.ended
    lasted = f" in {duration(ended - began)}" if began is not None and ended is not None else ""
    cpus = len(trace.recording.cpus)
    lines = [f"{visible(path)}: {len(trace):,} events of {len(trace.events)} types{lasted} on {cpus} "
             f"CPU{'s' * (cpus != 1)}, clock {visible(trace.recording.clock)}, "
             f"{f'{trace.lost:,} LOST' if trace.lost or trace.gaps else 'none lost'}"]
    never = [event for event in trace.recording.armed or () if event in trace.formats and event not in trace.events
             and event != "ftrace:print"]  # which is for marks, and always on
    if never:
        lines.append(f"enabled, no events: {visible(', '.join(never))}")
    lines += [f"also in the file, not read: {visible(what)}" for what in trace.recording.unread]
    lines += [f"could not be enabled: {visible(event)}: {visible(why)}" for event, why in trace.missing.items()]
    return lines
