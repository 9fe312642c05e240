"""An exerciser on the host: its calls as methods, with arguments filled in from the board's data."""
from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePath
from types import TracebackType
from typing import Any, Protocol

import drivers
from bench.board import Device
from bench.errors import UsageError
from bench.rig import recorders
from bench.rig.call import BUFFER_KB, Answer, Call
from drivers.agent.call import calls_of, kind
from drivers.contract import Contract, sources_of, union


def exercisers() -> list[str]:
    """Names of all exercisers: folders of drivers/ with a calls.py."""
    return sorted(p.parent.name for root in drivers.__path__ for p in Path(root).glob("*/calls.py"))


def exerciser_of(check: str | Path) -> str:
    """The exerciser that a check belongs to, from its file (or its node id): drivers/<name>/checks/test_*.py."""
    return PurePath(str(check).partition("::")[0]).parent.parent.name


def needs_device(exerciser: str) -> bool:
    """Whether `exerciser` is for a device that board.yaml lists; the agent and the kernel are on every board."""
    return bool(getattr(importlib.import_module(f"drivers.{exerciser}"), "NEEDS_DEVICE", True))


class Runner(Protocol):
    """Runs calls: a Rig."""

    def call(self, call: Call) -> Iterator[Answer]: ...


class Listening:
    """A listening call: on entering, the target is ready; on leaving, its answer has arrived."""

    def __init__(self, steps: Iterator[Answer]) -> None:
        self._steps = steps
        self._answer: Answer | None = None

    def __enter__(self) -> Listening:
        self._first = next(self._steps)
        if self._first.ended_ns:  # it ended before it was ready
            self._answer = self._first
        return self

    def __exit__(self, type_: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        if self._answer is None:
            self._answer = next(self._steps)

    @property
    def answer(self) -> Answer:
        """The answer, after the `with` block.  Raises UsageError inside it."""
        if self._answer is None:
            raise UsageError("a listening call has its answer after its `with` block")
        return self._answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.answer, name)


class Exerciser:
    """The calls of one exerciser as methods; arguments that board.yaml has may be omitted."""

    def __init__(self, runner: Runner, name: str, device: Device | None = None) -> None:
        self._runner, self._name, self.device = runner, name, device
        self._calls = calls_of(importlib.import_module(f"drivers.{name}.calls"))
        self._options: dict[str, Any] = {}

    @property
    def limits(self) -> Mapping[str, float]:
        """The board's limits for this device."""
        return self.device.limits if self.device else {}

    def tracing(self, *wanted: Any, buffer_kb: int = BUFFER_KB) -> Exerciser:
        """The same exerciser, recording the union of the events that contracts, roles or bare sources need."""
        unique = union(source for item in wanted for source in sources_of(item))
        contracts = tuple(item for item in wanted if isinstance(item, Contract))
        return self._with(sources=tuple(unique), contracts=contracts, buffer_kb=buffer_kb)

    def recording(self, recorder: str, **settings: Any) -> Exerciser:
        """The same exerciser with another recorder beside each call: "usb" is usbmon on its device's bus.

        What it recorded is the answer's `capture(recorder)`. `settings`: those of drivers/<recorder>/recorder.py that
        are no arguments of the call. Raises UsageError for a recorder or a setting that does not exist.
        """
        recorders.check(recorder, settings)
        return self._with(recorders={**self._options.get("recorders", {}), recorder: settings})

    def interruptible(self, spool: Path | None = None) -> Exerciser:
        """The same exerciser, whose calls `Rig.interrupt()` ends; pages of long recordings are kept in `spool`."""
        return self._with(interruptible=True, spool=spool)

    def timeout(self, deadline_s: float) -> Exerciser:
        """The same exerciser, its calls allowed `deadline_s` seconds."""
        return self._with(deadline_s=deadline_s)

    def function(self, name: str) -> Callable[..., Any]:
        """The call of that name in drivers/.  Raises UsageError for a name that is none."""
        if name not in self._calls:
            raise UsageError.unknown(f"{self._name} call", name, self._calls)
        return self._calls[name]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__") or name not in self._calls:
            raise AttributeError(str(UsageError.unknown(f"{self._name} call", name, self._calls)))
        function = self._calls[name]

        def run(*args: Any, **kwargs: Any) -> Any:
            steps = self._runner.call(self._call(name, function, args, kwargs))
            return Listening(steps) if kind(function) == "listen" else next(steps)

        run.__doc__, run.__name__ = function.__doc__, name
        return run

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._calls]

    def _with(self, **options: Any) -> Exerciser:
        other = Exerciser(self._runner, self._name, self.device)
        other._options = {**self._options, **options}
        return other

    def _call(self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        signature = inspect.signature(function)
        known = _known(self.device) if self.device else {}
        given = signature.bind_partial(*args, **kwargs).arguments
        filled = {p: known[p] for p in signature.parameters if p in known and p not in given}
        arguments = signature.bind(**{**filled, **given}).arguments
        wanted = {recorder: recorders.complete(recorder, settings, {**known, **arguments})
                  for recorder, settings in self._options.get("recorders", {}).items()}
        call = Call(self._name, name, arguments, device=self.device.name if self.device else "",
                    **{**self._options, "recorders": wanted})
        own = arguments.get("timeout_s", 0)
        return dataclasses.replace(call, deadline_s=call.deadline_s + own) if isinstance(own, (int, float)) else call


def _known(device: Device) -> dict[str, Any]:
    """A call's arguments from board.yaml; `lines` are the names of the device's lines at their controllers."""
    lines = {"lines": {name: where.line for name, where in device.lines.items()}} if device.lines else {}
    return {**lines, **device.arguments}


__all__ = ["Exerciser", "Listening", "exerciser_of", "exercisers", "needs_device"]
