"""What ftrace records besides ordinary events: step markers, kernel stacks, histograms."""
from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import Inconclusive
from bench.trace.symbols import STACK
from bench.trace.trace import Trace
from drivers.agent.step import PREFIX
from drivers.agent.trace.request import label
from drivers.contract.source import Histogram

MARK = "ftrace:print"
# "{ irq:         22 } hitcount:         40  bytes:       1200", keys that are text end in spaces
_ROW = re.compile(r"^\{ (?P<keys>.*?) \}(?P<values>(?: +\w+: +-?\w+)+)\s*$", re.M)
_KEY = re.compile(r"(\S+): *(.*?) *(?:, (?=\S+: )|$)")


def step_name(text: str) -> str | None:
    """The step that a mark begins, None for a mark not written by `step(…)`."""
    return text[len(PREFIX):].rstrip("\n") if text.startswith(PREFIX) else None


def steps(trace: Trace) -> list[tuple[int, str]]:
    """(time [ns], name) of each step that calls marked, by time."""
    if MARK not in trace.events:
        return []
    named = zip(trace[MARK]["ts"].tolist(), map(step_name, trace.strings(MARK, "buf").tolist()), strict=True)
    return [(ts, name) for ts, name in named if name is not None]


def stacks(trace: Trace, event: str, records: NDArray[Any] | None = None) -> list[list[str]]:
    """The call stack of each event of a type, or of some `records` of `trace[event]`, innermost function first.

    A stack is empty where none was recorded: the event must have been enabled with `stack=True`.
    """
    # The kernel writes a stack directly behind its event, on the same CPU.
    records = trace[event] if records is None else records
    if STACK not in trace.events:
        return [[] for _ in range(records.size)]
    recorded = trace[STACK]
    row_of = {int(row) - 1: number for number, row in enumerate(recorded["row"].tolist())}
    size = trace.recording.long_size
    payloads = trace.payloads(STACK, "caller")
    answer: list[list[str]] = []
    for row in records["row"].tolist():
        raw = payloads[row_of[row]] if row in row_of else b""
        callers = np.frombuffer(raw[:len(raw) // size * size], f"{trace.layout.order}u{size}")
        answer.append(trace.kernel.names(callers[callers != 0]).tolist() if callers.size else [])
    return answer


def histogram(trace: Trace, wanted: Histogram) -> list[tuple[dict[str, str], dict[str, int]]]:
    """The rows of a kernel histogram: (keys, values); raises Inconclusive when this kernel has none."""
    name = label(wanted.sources[0])
    if name not in trace.recording.histograms:
        raise Inconclusive(f"no table of {name}: {trace.missing.get(name, 'it was not enabled')}")
    return _rows(trace.recording.histograms[name])


def _rows(text: str) -> list[tuple[dict[str, str], dict[str, int]]]:
    """The rows of a hist file: keys as the kernel prints them, and the values."""
    rows = []
    for match in _ROW.finditer(text):
        values = re.findall(r"(\w+): +(-?\w+)", match["values"])
        rows.append((dict(_KEY.findall(match["keys"])), {name: int(value, 0) for name, value in values}))
    return rows
