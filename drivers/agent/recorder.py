"""Recorders that run beside a call: `drivers/<name>/recorder.py`, found by its folder's name.

A request asks for them by name, with their settings, and the reply has what each recorded:

    request  {"call": …, "recorders": {"usb": {"vendor": 0x24ae, …}}}
    reply    {"value": …, "recorders": {"usb": {"data": b"…", …}}}

The trace is no such recorder: it stays enabled from call to call, and sends full
pages while the call runs.
"""
from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Protocol


class Recorder(Protocol):
    """What the class `Recorder` of a `drivers/<name>/recorder.py` has; the request's
    settings are its arguments.

    It records from `__enter__` to `__exit__`; after that `result` is complete: values that a
    frame can carry. A recorder that cannot record raises nothing and says why in
    `result["missing"]`, which is "" otherwise.
    """

    result: dict[str, Any]

    def __enter__(self) -> Recorder: ...

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None
    ) -> bool | None: ...


def load(name: str, settings: Mapping[str, Any]) -> Recorder:
    """The recorder of drivers/`name`. LookupError when that folder has none,
    TypeError for an unknown setting.
    """
    try:
        module = importlib.import_module(f"drivers.{name}.recorder")
    except ModuleNotFoundError as error:
        raise LookupError(f"there is no drivers/{name}/recorder.py: {error}") from None
    recorder: Recorder = module.Recorder(**settings)
    return recorder


@contextlib.contextmanager
def recording(wanted: Mapping[str, Mapping[str, Any]], reply: dict[str, Any]) -> Iterator[None]:
    """Run the recorders of a request around a call; reply["recorders"] has their
    results, also when it raises.
    """
    recorders = {name: load(name, settings) for name, settings in wanted.items()}
    try:
        with contextlib.ExitStack() as running:
            for recorder in recorders.values():
                running.enter_context(recorder)
            yield
    finally:
        if recorders:
            reply["recorders"] = {name: recorder.result for name, recorder in recorders.items()}
