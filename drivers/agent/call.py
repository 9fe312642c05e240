"""Mark a function as callable from the host.

    @call      one request, one value
    @listen    a generator: set up, `yield` once (the host acts now), `return` the value

Arguments and values are what a frame can carry: None, bool, int, float, str, bytes and lists,
tuples and str-keyed dicts of them. An OSError reaches the host as its errno.
"""
from __future__ import annotations

from collections.abc import Callable, Generator
from types import ModuleType
from typing import Any, TypeVar

# Bounds are strings: Python 3.8 cannot subscript collections.abc at run time.
F = TypeVar("F", bound="Callable[..., Any]")
L = TypeVar("L", bound="Callable[..., Generator[None, None, Any]]")

# inspect.CO_GENERATOR, without the time that inspect takes an emulated processor to import
GENERATOR = 0x20
MARK = "__driver_call__"  # the attribute that a marked function carries: "call" or "listen"


def is_generator(function: Any) -> bool:
    """Whether a function has a yield."""
    return bool(function.__code__.co_flags & GENERATOR)


def call(function: F) -> F:
    """Let the host call `function`."""
    if is_generator(function):
        raise TypeError(f"{function.__qualname__} is a generator: mark it with @listen")
    setattr(function, MARK, "call")
    return function


def listen(function: L) -> L:
    """Let the host call the generator `function`, and act at its one `yield`."""
    if not is_generator(function):
        raise TypeError(f"{function.__qualname__} has no yield: mark it with @call")
    setattr(function, MARK, "listen")
    return function


def kind(function: Any) -> str:
    """Return "call", "listen", or "" for a function that is not marked."""
    mark = getattr(function, MARK, "")
    return mark if isinstance(mark, str) else ""


def calls_of(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """Return the marked functions found in `module`, by name; those that
    it imports count as well.
    """
    return {name: value for name, value in vars(module).items() if kind(value)}
