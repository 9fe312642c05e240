"""Recorders beside a call, by name: their settings from the call, and the decoding of their recordings.

A recorder is drivers/<name>/recorder.py; its FORMAT names the module of bench/capture whose `Capture` reads its result.
"""
from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import drivers
from bench.capture import Capture
from bench.errors import UsageError


def names() -> list[str]:
    """Names of all recorders: folders of drivers/ with a recorder.py."""
    return sorted(p.parent.name for root in drivers.__path__ for p in Path(root).glob("*/recorder.py"))


def parameters(name: str) -> Mapping[str, inspect.Parameter]:
    """The settings of recorder `name`.  Raises UsageError for one that does not exist."""
    if name not in names():
        raise UsageError.unknown("recorder", name, names())
    return inspect.signature(_module(name).Recorder).parameters


def check(name: str, settings: Mapping[str, Any]) -> None:
    """Raise UsageError for a recorder or one of its settings that does not exist."""
    known = parameters(name)
    for setting in settings:
        if setting not in known:
            raise UsageError.unknown(f"setting of recorder {name}", setting, known)


def complete(name: str, settings: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a recorder for one call: those given, the others from the call's arguments of the same name.

    Raises UsageError when one is in neither and has no default.
    """
    complete = {}
    for setting, parameter in parameters(name).items():
        for source in (settings, arguments):
            if setting in source:
                complete[setting] = source[setting]
                break
        else:
            if parameter.default is inspect.Parameter.empty:
                raise UsageError(f"recorder {name} needs {setting}, which this call does not take: "
                                 f".recording({name!r}, {setting}=…)")
    return complete


def format_of(name: str) -> str:
    """The module of bench.capture that reads what recorder `name` recorded."""
    return str(_module(name).FORMAT)


def capture_of(name: str, raw: Mapping[str, Any], big_endian: bool) -> Capture:
    """What recorder `name` recorded."""
    module = importlib.import_module(f"bench.capture.{format_of(name)}")
    capture: Capture = module.Capture.of(raw, big_endian)
    return capture


def _module(name: str) -> Any:
    return importlib.import_module(f"drivers.{name}.recorder")
