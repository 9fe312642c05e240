"""The events of a role in one trace: the source used, the events that meet its conditions, and their keys."""
from __future__ import annotations

import dataclasses
import fnmatch
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import UsageError
from bench.judge.matching import Line, line
from bench.trace.ftrace import step_name
from bench.trace.ring_buffer import Gap
from bench.trace.trace import Trace
from drivers.contract import (
    Compare,
    ContractError,
    Function,
    Role,
    Source,
    Step,
    Tracepoint,
    Verb,
    event_name,
    label,
)

Times = NDArray[np.int64]
Places = NDArray[np.intp]
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


# Fields of the tracers' events that are functions' names, and the addresses that they are made of.
NAMED = {"ftrace:function": {"function": "ip", "parent": "parent_ip"}, "ftrace:funcgraph_entry": {"function": "func"},
         "ftrace:funcgraph_exit": {"function": "func"}}


class Unseen(Exception):
    """This recording has no source for a role; the message says why."""


@dataclass(frozen=True)
class Events:
    """The events that play a role, by time: `index` into `trace[event]`, times [ns], rows of the store."""

    role: Role
    event: str
    source: Source
    index: Places
    ts: Times
    rows: NDArray[np.uint32]

    def __len__(self) -> int:
        return int(self.ts.size)

    def those(self, holds: NDArray[np.bool_]) -> Events:
        """The events for which `holds` is true."""
        return dataclasses.replace(self, index=self.index[holds], ts=self.ts[holds], rows=self.rows[holds])


class View:
    """The roles' events in one trace, cached for all verbs of a contract."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.gaps = trace.gaps
        self.began = trace.began or 0
        self.ended = trace.ended or 0
        self._events: dict[Role, Events] = {}
        self._records: dict[str, NDArray[Any]] = {}  # large ones do not stay in the trace's own cache

    def events(self, role: Role) -> Events:
        """The events of a role; raises Unseen when the recording has no source for it."""
        if role not in self._events:
            self._events[role] = self._find(role)
        return self._events[role]

    def shows(self, role: Role) -> bool:
        """Whether a source of the role was enabled, so that its absence means that it did not happen."""
        return any(self._armed(*source) for source in zip(role.alternatives, role.sources, strict=True))

    def _find(self, role: Role) -> Events:
        sources = list(zip(role.alternatives, role.sources, strict=True))
        available = [(source, request) for source, request in sources if event_name(request) in self.trace.formats]
        if not available:
            names = [event_name(request) for _, request in sources]
            reasons = [f"{label(request)}: {self._why(request)}" for _, request in sources if self._why(request)]
            absent = f"{', '.join(names)} not in the recording"
            raise Unseen(f"no source for {role.name}: {'; '.join(reasons) or absent}")
        source, request = next((candidate for candidate in available if self._armed(*candidate)), available[0])
        event = event_name(request)
        if not self._armed(source, request):
            reason = self._why(request) or "the recording does not say that it was enabled, and has no such event"
            raise Unseen(f"no source for {role.name}: {label(request)}: {reason}")
        records = self._all(event)
        rows = records["row"].copy()
        everything = Events(role, event, source, np.arange(rows.size), records["ts"].astype(np.int64), rows)
        if isinstance(source, Function | Step):
            everything = everything.those(self._meant(everything))
        return everything.those(self.holds(everything, role.conditions)) if role.conditions else everything

    def _why(self, request: Mapping[str, Any]) -> str:
        """Why a source is missing, as the recorder reported it."""
        return self.trace.missing.get(label(request), self.trace.missing.get(event_name(request), ""))

    def _armed(self, source: Source, request: Mapping[str, Any]) -> bool:
        """Whether the absence of the source's events means that they did not happen."""
        if not self.trace.armed(event_name(request)):
            return False
        if not isinstance(source, Function) or not self.trace.recording.functions:
            return True
        named = (line.partition(" [") for line in self.trace.recording.functions)
        return any(source.shows(name, module.rstrip("]")) for name, _, module in named)

    def _meant(self, events: Events) -> NDArray[np.bool_]:
        """Which events belong to the source, where several sources share one event type."""
        source = events.source
        if isinstance(source, Step):
            names = self._marks(events.event).tolist()
            return np.array([name is not None and fnmatch.fnmatchcase(name, source.name) for name in names], np.bool_)
        if not isinstance(source, Function):
            return np.ones(len(events), np.bool_)
        addresses = self._all(events.event)[NAMED[events.event]["function"]]
        unique, inverse = np.unique(addresses, return_inverse=True)
        kernel = self.trace.kernel
        shown = [source.shows(*name)
                 for name in zip(kernel.names(unique).tolist(), kernel.modules(unique).tolist(), strict=True)]
        return np.array(shown, np.bool_)[inverse.reshape(-1)]

    def _marks(self, event: str) -> NDArray[Any]:
        """The name of the step that each mark begins, None for marks not written by `step(…)`."""
        texts = self.trace.strings(event, "buf", self._all(event)).tolist()
        return np.array([step_name(text) for text in texts], object)

    def _derived(self, events: Events, name: str) -> NDArray[Any] | None:
        """Fields derived from the kernel's own: function names, durations, step names."""
        if isinstance(events.source, Step) and name == "name":
            return self._marks(events.event)[events.index].astype(np.bytes_)
        records = self._all(events.event)
        if name in NAMED.get(events.event, {}):
            address = NAMED[events.event][name]
            return self.trace.symbols(events.event, address, records[events.index]).astype(np.bytes_)
        if events.event == "ftrace:funcgraph_exit" and name == "duration":
            return np.asarray(records["rettime"] - records["calltime"])[events.index].astype(np.int64)
        return None

    def _all(self, event: str) -> NDArray[Any]:
        """Every event of a type."""
        if event not in self._records:
            self._records[event] = self.trace[event]
        return self._records[event]

    def holds(self, events: Events, conditions: Sequence[tuple[str, Compare]]) -> NDArray[np.bool_]:
        """Which of the events meet all conditions."""
        return reduce(operator.and_, (self._condition(events, name, compare) for name, compare in conditions),
                      np.ones(len(events), np.bool_))

    def _condition(self, events: Events, name: str, compare: Compare) -> NDArray[np.bool_]:
        column = self.column(events, name)
        if compare.op == "in":
            return reduce(operator.or_, (self._condition(events, name, Compare("=", value)) for value in compare.value),
                          np.zeros(len(events), np.bool_))
        value = compare.value
        text = column.dtype.kind == "S"
        if isinstance(value, str):
            value = value.encode()
        if text != isinstance(value, bytes) or (text and compare.op == "&"):
            raise ContractError(f"{events.role.name}: field {name!r} of {events.event} holds "
                                f"{'text' if text else 'numbers'}: it cannot be compared: {compare}")
        if column.dtype.kind == "u" and compare.op in ("=", "!=") and value < 0:
            value %= 1 << 8 * column.dtype.itemsize  # an untyped $retval of a probe: -5 is 0xfffffffb
        if compare.op == "&":
            return np.asarray((column.astype(np.int64) & np.int64(value)) != 0)
        return np.asarray(_COMPARE[compare.op](column, value))

    def column(self, events: Events, name: str) -> NDArray[Any]:
        """A field of a role's events: numbers, or bytes for text; raises Unseen when this kernel's event lacks it."""
        own = events.source.fields.get(name, name) if isinstance(events.source, Tracepoint) else name
        try:
            records = self._all(events.event)
            derived = self._derived(events, name)
            if derived is not None:
                return derived
            fmt = self.trace.formats[events.event]
            declared = fmt.field(own)
            if declared is not None and (declared.text or declared.variable):
                return self.trace.text(events.event, own, records[events.index])
            column = records[own] if len(events) == records.size else records[own][events.index]
        except (UsageError, ValueError, KeyError) as error:
            raise Unseen(f"{events.event} has no field {own!r} in this kernel") from error
        if column.ndim > 1:
            flat = np.ascontiguousarray(column)
            return flat.view(f"S{flat.dtype.itemsize * flat.shape[1]}").reshape(-1)
        return column if column.dtype.isnative else column.astype(column.dtype.newbyteorder("="))

    def line(self, verb: Verb, *roles: Events) -> Line:
        """The events of several roles merged, by the verb's key and time."""
        keys = [[self.column(events, name) for events in roles] for name in verb["key"] or ()]
        return line([events.ts for events in roles], [events.rows for events in roles], keys)

    def payloads(self, events: Events, name: str) -> list[bytes]:
        """The bytes of a field of a role's events."""
        own = events.source.fields.get(name, name) if isinstance(events.source, Tracepoint) else name
        try:
            return self.trace.payloads(events.event, own, self._all(events.event)[events.index])
        except UsageError as error:
            raise Unseen(f"{events.event} has no field {own!r} in this kernel") from error

    def hidden(self, since: Times, upto: Times) -> NDArray[np.bool_]:
        """Which of the intervals overlap lost events: evidence may be missing there."""
        hidden = np.zeros(since.size, np.bool_)
        for gap in self.gaps:
            after = np.iinfo(np.int64).min if gap.after is None else gap.after
            before = np.iinfo(np.int64).max if gap.before is None else gap.before
            hidden |= (since <= before) & (upto >= after)
        return hidden

    def whole(self, count: int) -> tuple[Times, Times]:
        """`count` intervals that are the whole recording."""
        return np.full(count, self.began, np.int64), np.full(count, self.ended, np.int64)

    @property
    def loss(self) -> str:
        """A description of the loss, empty when no event was lost."""
        if not self.trace.lost and not self.gaps:
            return ""
        gap = self.gaps[0] if self.gaps else Gap(0, None, None, None)
        edges = [f"{'after' if i == 0 else 'before'} {at / 1e9:.9f} s"
                 for i, at in enumerate((gap.after, gap.before)) if at is not None]
        count = self.trace.lost
        return f"{count} event{'s were' if count != 1 else ' was'} lost on cpu {gap.cpu} {' and '.join(edges)}".rstrip()
