"""Where the events of a role come from: tracepoints, probes on functions, the function tracer.

Each source has a `request(event)`: what the target enables for it, as JSON types. `event` is the name of the role's own
event, for sources that make one.
Ref: Documentation/trace/{events,kprobetrace,ftrace}.rst
"""
from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from drivers.agent.trace.request import event_name, label


class ContractError(ValueError):
    """A mistake in a contract; raised where it is written."""


@dataclass(frozen=True)
class Tracepoint:
    """A tracepoint `system:name`; `fields` maps a role's field names to the event's own where they differ.

    `stack`: the kernel stack at each event is recorded, too: `bench.trace.ftrace.stacks`.
    """

    name: str
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)
    stack: bool = False

    def __post_init__(self) -> None:
        if self.name.count(":") != 1:
            raise ContractError(f"a tracepoint is named 'system:name', not {self.name!r}")

    def request(self, event: str) -> dict[str, Any]:
        system, _, name = self.name.partition(":")
        request = {"kind": "tracepoint", "system": system, "name": name}
        return dict(request, stack=True) if self.stack else request

    @property
    def called(self) -> str:
        """A role's name, when nothing better is given."""
        return self.name.partition(":")[2]


@dataclass(frozen=True)
class Kprobe:
    """A probe at a function's entry; `fields` are fetch arguments: {"skb": "%r0", "name": "+0(%r1):string"}.

    `stack`: the kernel stack at each event is recorded, too: `bench.trace.ftrace.stacks`. A probe
    that the kernel has optimised (CONFIG_OPTPROBES) may hide them, a tracepoint does not.
    """

    symbol: str
    module: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)
    stack: bool = False

    def request(self, event: str) -> dict[str, Any]:
        kind = "fprobe" if isinstance(self, Fprobe) else "kprobe"
        request = {"kind": kind, "name": event, "symbol": self.symbol, "module": self.module,
                   "return": isinstance(self, (Kretprobe, FprobeReturn)), "args": dict(self.fields)}
        return dict(request, stack=True) if self.stack else request

    @property
    def called(self) -> str:
        """A role's name, when nothing better is given."""
        return self.symbol + ("_return" if isinstance(self, (Kretprobe, FprobeReturn)) else "")


@dataclass(frozen=True)
class Kretprobe(Kprobe):
    """A probe at a function's return; `fields` such as {"ret": "$retval"}."""


@dataclass(frozen=True)
class Fprobe(Kprobe):
    """A function's entry by fprobe: cheaper than a kprobe; with BTF, `fields` may name arguments: {"dev": "dev"}."""


@dataclass(frozen=True)
class FprobeReturn(Fprobe):
    """A function's return by fprobe; `fields` such as {"ret": "$retval"}."""


@dataclass(frozen=True)
class Function:
    """Entries of functions, recorded by the function tracer; fields: ip, parent_ip, and by name: function, parent.

    `filter`: a function's name, a pattern such as `dm9000_*`, `:mod:NAME` for all functions of a module (also one that
    is loaded later), or `PATTERN:mod:NAME`.
    """

    filter: str
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not self.filter or any(c in self.filter for c in " \t\n,!"):
            raise ContractError(f"a function filter is a name, a pattern or ':mod:NAME', not {self.filter!r}")

    def request(self, event: str) -> dict[str, Any]:
        return {"kind": "function", "system": "ftrace", "name": "function", "filter": self.filter}

    @property
    def called(self) -> str:
        """A role's name, when nothing better is given."""
        return self.filter

    @property
    def wanted(self) -> tuple[str, str]:
        """The pattern of the functions' names, and their module ("": any)."""
        pattern, _, module = self.filter.partition(":mod:")
        return pattern or "*", module

    def shows(self, name: str, module: str) -> bool:
        """Whether a function of this name and module ("": the kernel proper) matches."""
        pattern, wanted = self.wanted
        return wanted in ("", module) and fnmatch.fnmatchcase(name, pattern)


@dataclass(frozen=True)
class GraphExit(Function):
    """Returns of functions, seen by the function-graph tracer; fields: func, depth, calltime, rettime [ns], function.

    One recording has the function tracer or the function-graph tracer, not both.
    """

    def request(self, event: str) -> dict[str, Any]:
        return {"kind": "graph", "system": "ftrace", "name": "funcgraph_exit", "filter": self.filter}


@dataclass(frozen=True)
class GraphEntry(Function):
    """Entries of functions, seen by the function-graph tracer; fields: func, depth, function."""

    def request(self, event: str) -> dict[str, Any]:
        return {"kind": "graph", "system": "ftrace", "name": "funcgraph_entry", "filter": self.filter}


@dataclass(frozen=True)
class Step:
    """Marks that a call set with `step(name)`; `name` may be a pattern. Field: name."""

    name: str = "*"

    def request(self, event: str) -> dict[str, Any]:
        return {"kind": "step", "system": "ftrace", "name": "print"}

    @property
    def called(self) -> str:
        """A role's name, when nothing better is given."""
        return f"step {self.name}"


@dataclass(frozen=True)
class Histogram:
    """A histogram that the kernel keeps instead of events: hit count and sums of `values` for each of `keys`.

    `bench.trace.ftrace.histogram` reads it. `keys` and `values` as a hist trigger names them: ("irq",),
    ("call_site.sym", "ptr").
    Not for a role: it has no events.   Ref: Documentation/trace/histogram.rst
    """

    event: str
    keys: tuple[str, ...]
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.event.count(":") != 1 or not self.keys or isinstance(self.keys, str):
            raise ContractError("a histogram is of an event 'system:name' by a tuple of keys, not "
                                f"{self.event!r} by {self.keys!r}")

    @property
    def sources(self) -> list[dict[str, Any]]:
        """What the target enables for it."""
        system, _, name = self.event.partition(":")
        values = ":vals=" + ",".join(self.values) if self.values else ""
        return [{"kind": "histogram", "system": system, "name": name,
                 "filter": "hist:keys={}{}".format(",".join(self.keys), values)}]


Source = Tracepoint | Kprobe | Function | Step
SOURCES = (Tracepoint, Kprobe, Function, Step)


def union(requests: Iterable[Mapping[str, Any]], context: str = "") -> list[dict[str, Any]]:
    """Each request once; an event is recorded with its stacks when any request for it has `stack`.

    Two different probes of one name are refused: ContractError, whose message begins with `context`.
    """
    by_label: dict[str, dict[str, Any]] = {}
    for request in requests:
        name, stack = label(request), bool(request.get("stack"))
        merged = by_label.setdefault(name, dict(request))
        stack |= bool(merged.get("stack"))
        if dict(merged, stack=0) != dict(request, stack=0):
            raise ContractError("{}{}two different probes have the same name {}: give one another `event`".format(
                context, ": " if context else "", event_name(request)))
        if stack:
            merged["stack"] = True
    return list(by_label.values())
