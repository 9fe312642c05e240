"""Claims about roles, and how claims are combined; pure data that reads as a sentence."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from drivers.contract.roles import Limit, Role, as_role, conditions_text
from drivers.contract.source import ContractError

Key = str | tuple[str, ...] | None


class Expression:
    """A claim or composition: `a & b`, `a | b`, `~a`, `a.implies(b)`; by Kleene's rules for inconclusive parts."""

    def __and__(self, other: Expression) -> Expression:
        return Join("and", (self, expression(other)))

    def __or__(self, other: Expression) -> Expression:
        return Join("or", (self, expression(other)))

    def __invert__(self) -> Expression:
        return Join("not", (self,))

    def implies(self, other: Expression) -> Expression:
        """Where this holds, `other` must hold."""
        return Join("implies", (self, expression(other)))

    def __bool__(self) -> bool:
        raise ContractError("compose contracts with &, | and ~, not with and, or, not: nothing is judged here")


@dataclass(frozen=True)
class Join(Expression):
    """A composition; `op` is and, or, not or implies."""

    op: str
    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        parts = [f"({part})" if isinstance(part, Join) and part.op != self.op else str(part) for part in self.parts]
        if self.op == "not":
            return f"not so: {parts[0]}"
        return "if {}, then {}".format(*tuple(parts)) if self.op == "implies" else (f", {self.op} ").join(parts)


@dataclass(frozen=True)
class Verb(Expression):
    """One claim over roles; `options` are the verb's arguments, `sentence` its text with {0}, {1} … for roles."""

    verb: str
    roles: tuple[Role, ...]
    options: tuple[tuple[str, Any], ...]
    sentence: str

    def __getitem__(self, option: str) -> Any:
        return dict(self.options).get(option)

    def __str__(self) -> str:
        key = ", for each {}".format(" and ".join(self["key"])) if self["key"] else ""
        if self.verb == "every":
            return "every {}: {}".format(self.roles[0], conditions_text(self["conditions"]))
        return self.sentence.format(*self.roles, **dict(self.options)) + key


def expression(given: Any) -> Expression:
    """`given`, if it is a claim; else ContractError."""
    if not isinstance(given, Expression):
        raise ContractError(f"{given!r} is no claim: use a verb such as pair(…) or never(…)")
    return given


def verb_of(verb: str, roles: tuple[Any, ...], sentence: str, key: Key = None, **options: Any) -> Verb:
    """A claim of a verb; roles may be bare sources."""
    options["key"] = (key,) if isinstance(key, str) else key
    chosen = tuple(as_role(given) for given in roles)
    for role in chosen:
        role.must_fetch(*options["key"] or (), *options.get("fields", ()), options.get("field"), options.get("amount"))
    return Verb(verb, chosen, tuple(options.items()), sentence)


def limits_of(read: Callable[[Any], Any], **limits: Any) -> str:
    """The limits that are given, in words; each is read once, so that a wrong unit fails where it is written."""
    given = {name: value for name, value in limits.items() if value is not None}
    for value in given.values():
        if not isinstance(value, Limit):
            read(value)
    words = {"min": "at least", "max": "at most", "exactly": "exactly", "at_least": "at least", "at_most": "at most"}
    return ", ".join("{} {{{}}}".format(words.get(name, name + " at most"), name) for name in given)


def inside(node: Any, kind: Any) -> Iterator[Any]:
    """Every piece of a type inside a claim, in reading order."""
    if isinstance(node, kind):
        yield node
    parts = node if isinstance(node, tuple) else (
        [getattr(node, item.name) for item in dataclasses.fields(node)] if dataclasses.is_dataclass(node) else [])
    for part in parts:
        yield from inside(part, kind)


def bound(node: Any, values: Mapping[str, Any]) -> Any:
    """A copy of a claim with its limits filled."""
    if isinstance(node, Limit):
        value = values.get(node.name, node)
        return tuple(value) if isinstance(value, list) else value
    if isinstance(node, tuple):
        return tuple(bound(part, values) for part in node)
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        parts = {item.name: bound(getattr(node, item.name), values) for item in dataclasses.fields(node)}
        return dataclasses.replace(node, **parts)
    return node
