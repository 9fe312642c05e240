"""Where the events of a role come from: tracepoints, probes on functions, the function tracer.

Each source has a `request(event)`: what the target arms for it, as JSON types. `event` is the name of the role's own
event, for sources that make one.
Ref: Documentation/trace/{events,kprobetrace,ftrace}.rst
"""
from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple, Union


class ContractError(ValueError):
    """A contract is written wrongly; raised where it is written."""


@dataclass(frozen=True)
class Tracepoint:
    """A tracepoint `system:name`; `fields` maps a role's field names to the event's own where they differ."""

    name: str
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.name.count(":") != 1:
            raise ContractError("a tracepoint is named 'system:name', not %r" % (self.name,))

    def request(self, event: str) -> Dict[str, Any]:
        system, _, name = self.name.partition(":")
        return {"kind": "tracepoint", "system": system, "name": name}

    @property
    def called(self) -> str:
        """A role's name, when nothing better is given."""
        return self.name.partition(":")[2]


@dataclass(frozen=True)
class Kprobe:
    """A probe at a function's entry; `fields` are fetch arguments: {"skb": "%r0", "name": "+0(%r1):string"}."""

    symbol: str
    module: Optional[str] = None
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)

    def request(self, event: str) -> Dict[str, Any]:
        return {"kind": "kprobe", "name": event, "symbol": self.symbol, "module": self.module,
                "return": isinstance(self, Kretprobe), "args": dict(self.fields)}

    @property
    def called(self) -> str:
        """A role's name, when nothing better is given."""
        return self.symbol + ("_return" if isinstance(self, Kretprobe) else "")


@dataclass(frozen=True)
class Kretprobe(Kprobe):
    """A probe at a function's return; `fields` such as {"ret": "$retval"}."""


@dataclass(frozen=True)
class Function:
    """Entries of functions, seen by the function tracer; fields: ip, parent_ip, and by name: function, parent.

    `filter`: a function's name, a pattern such as `dm9000_*`, `:mod:NAME` for all functions of a module (also one that
    is loaded later), or `PATTERN:mod:NAME`.
    """

    filter: str
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not self.filter or any(c in self.filter for c in " \t\n,!"):
            raise ContractError("a function filter is a name, a pattern or ':mod:NAME', not %r" % (self.filter,))

    def request(self, event: str) -> Dict[str, Any]:
        return {"kind": "function", "system": "ftrace", "name": "function", "filter": self.filter}

    @property
    def called(self) -> str:
        """A role's name, when nothing better is given."""
        return self.filter

    @property
    def wanted(self) -> Tuple[str, str]:
        """The pattern of the functions' names, and their module ("": any)."""
        pattern, _, module = self.filter.partition(":mod:")
        return pattern or "*", module

    def shows(self, name: str, module: str) -> bool:
        """Whether a function of this name and module ("": the kernel proper) is one of those meant."""
        pattern, wanted = self.wanted
        return wanted in ("", module) and fnmatch.fnmatchcase(name, pattern)


Source = Union[Tracepoint, Kprobe, Function]
SOURCES = (Tracepoint, Kprobe, Function)


def event_name(request: Mapping[str, Any]) -> str:
    """`system:name` in tracefs of a source's request: events of probes are in the group `bench`."""
    return "%s:%s" % (request.get("system", "bench"), request["name"])


def label(request: Mapping[str, Any]) -> str:
    """What tells sources apart: the event, and of the function tracer, which shares one among all, the filter."""
    return event_name(request) + (" " + request["filter"] if "filter" in request else "")
