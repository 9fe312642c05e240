"""A JSON object after the pages of trace.dat, for what the format has no place for; other readers ignore it."""
from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from bench.trace.dat.sections import Reader
from bench.trace.recording import Recording, parse_stats

END = b"bench trailer 1\n"


def write(recording: Recording) -> bytes:
    """The trailer of a recording: stats before, enabled and missing events, functions, begin and end."""
    data = json.dumps({
        "stats_before": [parse_stats(stats) for stats in recording.stats_before],
        "stats_after": [parse_stats(stats) for stats in recording.stats_after],
        "missing": dict(recording.missing), "foreign": recording.foreign, "functions": list(recording.functions),
        "histograms": dict(recording.histograms),
        "armed": None if recording.armed is None else list(recording.armed),
        "began_ns": recording.began_ns, "ended_ns": recording.ended_ns}).encode()
    return data + len(data).to_bytes(8, "little") + END


def read(reader: Reader) -> dict[str, Any]:
    """The trailer at the end of a reader's bytes, empty when there is none."""
    data = reader.data
    if bytes(data[-len(END):]) != END:
        return {}
    end = len(data) - len(END) - 8
    size = int.from_bytes(bytes(data[end:end + 8]), "little")
    reader.at = max(end - size, 0)
    if size > end:
        raise reader.fail(f"the trailer claims {size} bytes")
    try:
        trailer = json.loads(bytes(data[end - size:end]))
    except (ValueError, RecursionError) as error:
        raise reader.fail(f"the trailer is no JSON: {error}") from error
    if not isinstance(trailer, dict):
        raise reader.fail("the trailer is no JSON object")
    for name, holds in _EACH.items():
        if name in trailer and not holds(trailer[name]):
            raise reader.fail(f"the trailer's {name!r} is not what the bench writes")
    return trailer


def _stats(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and all(map(_number, item.values())) for item in value)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < 1 << 64


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _named(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _time(value: Any) -> bool:
    return value is None or (isinstance(value, int) and _number(value))


_EACH: dict[str, Callable[[Any], bool]] = {
    "stats_before": _stats, "stats_after": _stats, "foreign": lambda value: isinstance(value, bool),
    "missing": _named, "histograms": _named, "functions": _texts,
    "armed": lambda value: value is None or _texts(value), "began_ns": _time, "ended_ns": _time}
KEYS = frozenset(_EACH)
