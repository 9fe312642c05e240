"""Contracts: what the kernel trace of a call must show, as data that reads like a sentence.

    given = role("frame given to the driver", Kprobe("dm9000_start_xmit", module="dm9000", fields={"skb": "%r0"}),
                 Tracepoint("net:net_dev_start_xmit", fields={"skb": "skbaddr"}))
    freed = role("frame freed", Tracepoint("skb:consume_skb", fields={"skb": "skbaddr"}))
    every_frame_is_freed = contract("every frame is freed soon", pair(given, freed, key="skb", within="10 ms"))
    assert every_frame_is_freed(answer)

Nothing is judged here: the answer of a traced call judges, with three outcomes. Pass needs proof: lost events, a source
that was not enabled, or something still in progress at either end of the recording make a contract inconclusive.
"""
from __future__ import annotations

import dataclasses
import inspect
from dataclasses import dataclass
from typing import Any

from drivers.agent.trace.request import event_name, label
from drivers.contract.expression import Expression, Join, Key, Verb, bound, expression, inside, limits_of, verb_of
from drivers.contract.roles import (
    AnyRole,
    Compare,
    Limit,
    Role,
    above,
    any_bits,
    as_role,
    at_least,
    at_most,
    below,
    conditions_of,
    limit,
    nanoseconds,
    one_of,
    other_than,
    per_second,
    role,
    sources_of,
)
from drivers.contract.source import (
    ContractError,
    Fprobe,
    FprobeReturn,
    Function,
    GraphEntry,
    GraphExit,
    Histogram,
    Kprobe,
    Kretprobe,
    Source,
    Step,
    Tracepoint,
    union,
)

__all__ = [
    "Compare", "Contract", "ContractError", "Expression", "Fprobe", "FprobeReturn", "Function", "GraphEntry",
    "GraphExit", "Histogram", "Join", "Kprobe", "Kretprobe", "Limit", "Role", "Source", "Step", "Tracepoint",
    "Verb", "above", "absent_between", "all_equal", "any_bits", "as_role", "at_least", "at_most", "below",
    "conserve", "contract", "count", "event_name", "every", "inside", "jitter", "label", "latency", "limit",
    "nanoseconds", "never", "one_of", "order", "other_than", "pair", "payload_equals", "per_second", "rate",
    "ratio", "role", "seen", "sources", "sources_of", "union", "until",
]


def pair(open: AnyRole, close: AnyRole, key: Key = None, *, within: Any = None, several: bool | None = None,
         edges: str = "open") -> Verb:
    """Each `open` is followed by one `close` of the same key, and each `close` has its `open`.

    `within`: the time allowed between them. `several`: more than one of a key may be in progress, first in first out
    (assumed without a key). `edges="open"`: what is in progress where the recording begins or ends makes the claim
    inconclusive, unless `within` decides it; `edges="closed"`: nothing may be in progress there, for calls that bracket
    all.
    """
    _edges(edges)
    limits_of(nanoseconds, within=within)
    text = "each {0} is followed by one {1}" + (" within {within}" if within else "")
    return verb_of("pair", (open, close), text, key, within=within, several=key is None if several is None else several,
                   edges=edges)


def _edges(edges: str) -> None:
    if edges not in ("open", "closed"):
        raise ContractError(f"edges is 'open' or 'closed', not {edges!r}")


def latency(open: AnyRole, close: AnyRole, key: Key = None, *, min: Any = None, median: Any = None, p99: Any = None,
            max: Any = None, deadline: Any = None, several: bool | None = None) -> Verb:
    """The times from `open` to `close`, paired as `pair` does, keep the limits (durations with units).

    `deadline` is a `max` that an `open` without any `close` breaks, too.
    """
    text = limits_of(nanoseconds, min=min, median=median, p99=p99, max=max, deadline=deadline)
    if not text:
        raise ContractError("latency needs a limit: min, median, p99, max or deadline")
    text = text.replace("deadline at most", "always at most")
    return verb_of("latency", (open, close), "the time from {0} to {1} is " + text, key, min=min, median=median,
                   p99=p99, max=max, deadline=deadline, several=key is None if several is None else several)


def order(*roles: AnyRole, key: Key = None) -> Verb:
    """Events of the roles come in this order, again and again: each is preceded by the one before it in the list."""
    if len(roles) < 2:
        raise ContractError("order needs at least two roles")
    return verb_of("order", roles, " comes before ".join(f"{{{i}}}" for i in range(len(roles))), key)


def count(role: AnyRole, *, exactly: Any = None, at_least: Any = None, at_most: Any = None, key: Key = None) -> Verb:
    """How many events there are (with `key`: of each value of it)."""
    text = limits_of(float, exactly=exactly, at_least=at_least, at_most=at_most)
    if not text:
        raise ContractError("count needs exactly, at_least or at_most")
    return verb_of("count", (role,), f"{{0}} is seen {text} times", key, exactly=exactly, at_least=at_least,
                   at_most=at_most)


def seen(role: AnyRole) -> Verb:
    """It happens at least once."""
    return verb_of("count", (role,), "{0} is seen", exactly=None, at_least=1, at_most=None)


def ratio(role: AnyRole, to: AnyRole, *, at_least: Any = None, at_most: Any = None) -> Verb:
    """How many events of `role` there are for each one of `to`."""
    text = limits_of(float, at_least=at_least, at_most=at_most)
    if not text:
        raise ContractError("ratio needs at_least or at_most")
    return verb_of("ratio", (role, to), f"for each {{1}} there are {text} {{0}}", at_least=at_least, at_most=at_most)


def rate(role: AnyRole, *, at_least: Any = None, at_most: Any = None) -> Verb:
    """The mean rate from the first event to the last, such as "100 /s"."""
    text = limits_of(per_second, at_least=at_least, at_most=at_most)
    if not text:
        raise ContractError("rate needs at_least or at_most")
    return verb_of("rate", (role,), f"the rate of {{0}} is {text}", at_least=at_least, at_most=at_most)


def jitter(role: AnyRole, *, at_most: Any, period: Any = None, key: Key = None) -> Verb:
    """No interval between neighbours is further from `period` (their median, when not given) than `at_most`."""
    limits_of(nanoseconds, at_most=at_most, period=period)
    text = "{0} comes " + ("every {period}" if period else "evenly") + ", give or take {at_most}"
    return verb_of("jitter", (role,), text, key, at_most=at_most, period=period)


def never(role: AnyRole) -> Verb:
    """It does not happen; passes only when its source was enabled and no event was lost."""
    return verb_of("never", (role,), "{0} never happens")


def absent_between(role: AnyRole, open: AnyRole, close: AnyRole, key: Key = None) -> Verb:
    """It does not happen between an `open` and the next `close` (of the same key)."""
    return verb_of("absent_between", (role, open, close), "{0} never happens between {1} and {2}", key)


def until(absent: AnyRole, release: AnyRole, *, since: AnyRole | None = None, key: Key = None) -> Verb:
    """No `absent` until `release` came: after each `since`, or from the recording's begin; and `release` does come."""
    if since is None:
        return verb_of("until", (absent, release), "{0} does not happen until {1}", key)
    return verb_of("until", (absent, release, since), "after {2}, {0} does not happen until {1}", key)


def conserve(take: AnyRole, give: AnyRole, key: Key = None, *, amount: str | None = None,
             edges: str = "open") -> Verb:
    """What is taken is given back by the end of the recording, and nothing is given back that was not taken.

    `amount`: the field that says how much each event takes or gives; without it each counts as one. `edges="open"`:
    more given than taken makes the claim inconclusive, because it may have been taken before the recording began;
    `edges="closed"`: nothing had been.
    """
    _edges(edges)
    return verb_of("conserve", (take, give), "all that {0} takes{1} gives back".replace("{1}", " {1}") +
                   (", counted in {amount}" if amount else ""), key, amount=amount, edges=edges)


def payload_equals(role: AnyRole, other: Any, field: str, key: Key = None) -> Verb:
    """The bytes in `field` of the n-th event are those of the n-th event of `other`, a role, or of a list of bytes."""
    if isinstance(other, (bytes, list, tuple, Limit)):
        expected = (other,) if isinstance(other, bytes) else other if isinstance(other, Limit) else tuple(other)
        return verb_of("payload", (role,), "{field} of {0} is what was expected", key, field=field, expected=expected)
    return verb_of("payload", (role, other), "{field} of {0} equals that of {1}", key, field=field, expected=None)


def every(role: AnyRole, **fields: Any) -> Verb:
    """In every event each field has the value or meets the condition: `every(done, len=at_least(60))`."""
    if not fields:
        raise ContractError("every needs at least one field")
    chosen = as_role(role)
    chosen.must_fetch(*fields)
    return Verb("every", (chosen,), (("conditions", conditions_of(fields)), ("key", None)), "")


def all_equal(role: AnyRole, *fields: str) -> Verb:
    """In every event these fields have the same value: `all_equal(done, "frame", "actual")`."""
    if len(fields) < 2:
        raise ContractError("all_equal needs at least two fields")
    return verb_of("all_equal", (role,), "{} of every {{0}} are equal".format(" and ".join(fields)), fields=fields)


# Contracts

@dataclass(frozen=True)
class Contract:
    """A named claim about the trace of a call; calling it with the call's answer judges it."""

    name: str
    claim: Expression
    text: str = ""

    def __call__(self, answer: Any) -> Any:
        """The verdict on this contract, of a traced call's answer; ContractError when a limit is still to be bound."""
        return answer.judge(self)

    def __str__(self) -> str:
        return f"{self.name}: {self.claim}"

    def bind(self, **values: Any) -> Contract:
        """This contract with values for its `limit(…)` places, by name."""
        unknown = sorted(set(values) - set(self.unbound))
        if unknown:
            known = ", ".join(self.unbound) or "none"
            raise ContractError(f"{self.name} has no limit {unknown[0]!r}; it has: {known}")
        return dataclasses.replace(self, claim=bound(self.claim, values))

    @property
    def unbound(self) -> list[str]:
        """Names of the places that `bind` must fill before a trace can judge."""
        return list(dict.fromkeys(place.name for place in inside(self.claim, Limit)))

    @property
    def roles(self) -> list[Role]:
        """The roles in it, in reading order."""
        return list(dict.fromkeys(inside(self.claim, Role)))

    @property
    def sources(self) -> list[dict[str, Any]]:
        """What the target has to enable, as JSON types."""
        return sources(self)

    @property
    def events(self) -> list[str]:
        """The same as names: `system:name`."""
        return [event_name(source) for source in self.sources]


def contract(name: Any, claim: Expression | None = None) -> Any:
    """`contract("sentence", claim)`, or a decorator of a function without arguments that returns the claim.

    The decorated function is called at once, so that a mistake in it is reported at import; its name is the sentence.
    """
    if callable(name) and claim is None:
        written = name()
        return Contract(name.__name__.replace("_", " "), expression(written), inspect.getdoc(name) or "")
    if not isinstance(name, str) or not name.strip():
        raise ContractError(f"a contract is named by a sentence, not {name!r}")
    return Contract(name, expression(claim))


def sources(*contracts: Contract) -> list[dict[str, Any]]:
    """The union of what contracts need enabled; two probes of one name on different functions are refused."""
    requests: list[dict[str, Any]] = []
    for item in contracts:
        requests = union([*requests, *(source for part in item.roles for source in part.sources)], item.name)
    return requests
