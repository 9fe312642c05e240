"""Roles: which kernel events play a part in a contract, their sources, and conditions on them.

Ref: Documentation/trace/events.rst, Documentation/trace/kprobetrace.rst
"""
from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drivers.contract.source import SOURCES, ContractError, Function, Kprobe, Source

_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "ms": 1000000, "s": 1000000000}
_RATES = {"/s": 1.0, "Hz": 1.0, "kHz": 1e3, "MHz": 1e6}


# Columns that each event has, and what the kernel adds to a probe's own fields.
_COMMON = {"ts", "cpu", "pid", "row"}
_PROBES = {"__probe_ip", "__probe_func", "__probe_ret_ip"}


def nanoseconds(duration: Any) -> int:
    """`"5 ms"` → 5000000; units ns, us, µs, ms, s. A number without a unit is refused."""
    match = re.match(r"\s*(\d+(?:\.\d+)?)\s*([a-zµ]+)\s*$", duration) if isinstance(duration, str) else None
    if not match or match.group(2) not in _UNITS:
        raise ContractError(f"a duration is a text with a unit, such as '5 ms', not {duration!r}")
    return round(float(match.group(1)) * _UNITS[match.group(2)])


def per_second(rate: Any) -> float:
    """`"100 /s"` or `"8 kHz"` → events per second; units /s, Hz, kHz, MHz."""
    match = re.match(r"\s*(\d+(?:\.\d+)?)\s*(\S+)\s*$", rate) if isinstance(rate, str) else None
    if not match or match.group(2) not in _RATES:
        raise ContractError(f"a rate is a text such as '100 /s' or '8 kHz', not {rate!r}")
    return float(match.group(1)) * _RATES[match.group(2)]


@dataclass(frozen=True)
class Limit:
    """A value that a check binds: `contract.bind(name=value)`."""

    name: str

    def __str__(self) -> str:
        return f"<{self.name}>"


def limit(name: str) -> Any:
    """A place for a duration, number, text or bytes, which `contract.bind(name=…)` fills."""
    return Limit(name)


@dataclass(frozen=True)
class Compare:
    """One condition on a field; `op` is one of = != < <= > >= in &."""

    op: str
    value: Any

    def __str__(self) -> str:
        words = {"=": "is", "!=": "is not", "<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least",
                 "in": "is one of", "&": "has one of the bits"}
        shown = hex(self.value) if self.op == "&" and isinstance(self.value, int) else self.value
        return "{} {}".format(words[self.op], ", ".join(map(str, shown)) if isinstance(shown, tuple) else shown)


def above(value: Any) -> Compare:
    """Greater than `value`."""
    return Compare(">", value)


def below(value: Any) -> Compare:
    """Less than `value`."""
    return Compare("<", value)


def at_least(value: Any) -> Compare:
    """`value` or more."""
    return Compare(">=", value)


def at_most(value: Any) -> Compare:
    """`value` or less."""
    return Compare("<=", value)


def other_than(value: Any) -> Compare:
    """Anything but `value`."""
    return Compare("!=", value)


def one_of(*values: Any) -> Compare:
    """One of these."""
    return Compare("in", values)


def any_bits(mask: int) -> Compare:
    """At least one of the bits of `mask` is set."""
    return Compare("&", mask)


Conditions = tuple[tuple[str, Compare], ...]


def conditions_of(given: Mapping[str, Any]) -> Conditions:
    return tuple((name, value if isinstance(value, Compare) else Compare("=", value)) for name, value in given.items())


def conditions_text(conditions: Conditions) -> str:
    return ", ".join("{} {}".format(*condition) for condition in conditions)


@dataclass(frozen=True)
class Role:
    """A part that some event plays: the first of `alternatives` whose format file the recording has.

    `event` names its kprobe event in tracefs group `bench`; `conditions` narrow the role to some of its events.
    """

    name: str
    alternatives: tuple[Source, ...]
    event: str
    conditions: Conditions = ()

    def where(self, **fields: Any) -> Role:
        """This role where each field has the value or meets the condition: `where(name="eth0", len=above(60))`."""
        self.must_fetch(*fields)
        return dataclasses.replace(self, conditions=self.conditions + conditions_of(fields))

    def must_fetch(self, *names: Any) -> None:
        """ContractError when a probe that can play the role would not have one of these fields."""
        for source in self.alternatives:
            if not isinstance(source, Kprobe):
                continue  # its fields are the kernel's, and known only there
            known = _COMMON | _PROBES | set(source.fields)
            for name in names:
                if isinstance(name, str) and name not in known and not name.startswith("common_"):
                    raise ContractError("{}: the probe of {} fetches no field {!r}; it fetches: {}".format(
                        self.name, source.symbol, name, ", ".join(source.fields) or "none"))

    @property
    def sources(self) -> list[dict[str, Any]]:
        """What the target enables for each alternative, as JSON types."""
        requests: list[dict[str, Any]] = []
        probes = 0
        for source in self.alternatives:
            probes += isinstance(source, Kprobe)
            requests.append(source.request(self.event if probes < 2 else f"{self.event}_{probes}"))
        return requests

    def __str__(self) -> str:
        return f"{self.name} ({conditions_text(self.conditions)})" if self.conditions else self.name


def role(name: str, *alternatives: Source, event: str = "") -> Role:
    """Name a role and what can play it, best first; `event` is its kprobe event's name, else made from `name`."""
    chosen = event or re.sub(r"\W+", "_", name).strip("_")
    if not alternatives or not all(isinstance(source, SOURCES) for source in alternatives):
        raise ContractError(f"role {name!r} needs at least one Tracepoint, Kprobe or Kretprobe")
    if not re.match(r"[A-Za-z_]\w*$", chosen):
        raise ContractError(f"role {name!r}: {chosen!r} cannot be an event's name")
    return Role(name, alternatives, chosen)


AnyRole = Role | Source


def as_role(given: Any) -> Role:
    """A role, also from a bare source, which is then named after its event or function."""
    if isinstance(given, SOURCES):
        return role(given.called, given, event="function" if isinstance(given, Function) else "")
    if not isinstance(given, Role):
        raise ContractError(f"{given!r} is no role: use role(…), Tracepoint(…) or Kprobe(…)")
    return given


def sources_of(given: Any) -> list[dict[str, Any]]:
    """What the target enables for a contract, a role or a bare source."""
    requests: list[dict[str, Any]] = given.sources if hasattr(given, "sources") else as_role(given).sources
    return requests
