"""The contents of a request for a trace, and the labels of its sources.

drivers/contract/source.py makes the sources. They are apart because dataclasses are slow to import
on an emulated processor.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

# Functional syntax because `return` is a keyword.
Source = TypedDict(
    "Source",
    {
        "kind": str,  # tracepoint, kprobe, fprobe, histogram, function, graph, step
        "system": str,
        "name": str,
        "symbol": str,  # of a probe
        "module": str,
        "return": bool,
        "args": "Mapping[str, str]",  # of a probe: field → fetch argument
        "filter": str,  # of a tracer: functions; of a histogram: its trigger
        "stack": bool,
    },
    total=False,
)


class TraceRequest(TypedDict, total=False):
    """Events to record during a call, and the sizes of the buffers [KiB]."""

    sources: list[Source]
    buffer_kb: int  # per CPU
    subbuf_kb: int


def event_name(source: Mapping[str, object]) -> str:
    """`system:name` of a source in tracefs; events of probes are in the group `bench`."""
    return f"{source.get('system', 'bench')}:{source['name']}"


def label(source: Mapping[str, object]) -> str:
    """The identity of a source: the event, and for a tracer, whose events are the
    same for all, the filter.
    """
    return event_name(source) + (f" {source['filter']}" if "filter" in source else "")
