"""Values to JSON and back without loss: bytes, tuples, odd floats, odd keys, and typed dataclasses.

What JSON cannot hold becomes an object with one `$` key: {"$bytes": base64}, {"$tuple": […]}, {"$float": "nan"},
{"$dict": [[key, value], …]}. Bytes longer than KEPT keep their first KEPT bytes, length and SHA-256 (see `Cut`).
"""
from __future__ import annotations

import base64
import dataclasses
import enum
import functools
import hashlib
import math
import types
import typing
from collections.abc import Hashable
from typing import Any

KEPT = 4096


@dataclasses.dataclass(frozen=True)
class Cut:
    """Bytes that were too long to keep: the head, the whole length, and the whole's SHA-256 (hex)."""

    head: bytes
    length: int
    sha256: str

    def __repr__(self) -> str:
        return f"‹{self.head[:8].hex(' ')}{' …' if len(self.head) > 8 else ''}› {self.length} B"


def pack(value: Any) -> Any:
    """Turn any value into what json.dumps takes; what is not known is kept as its repr, under "$repr"."""
    if isinstance(value, enum.Enum):
        return pack(value.value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _pack_bytes(bytes(value))
    if isinstance(value, Cut):
        return {"$bytes": _b64(value.head), "length": value.length, "sha256": value.sha256}
    if isinstance(value, tuple):
        return {"$tuple": [pack(item) for item in value]}
    if isinstance(value, list):
        return [pack(item) for item in value]
    if isinstance(value, dict):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: pack(item) for key, item in value.items()}
        return {"$dict": [[pack(key), pack(item)] for key, item in value.items()]}
    if hasattr(value, "tolist"):  # numpy's scalars and arrays, from a witness's fields
        return pack(value.tolist())
    return {"$repr": repr(value)}


def unpack(value: Any) -> Any:
    """Turn what json.loads gave back into the value; raises ValueError for a `$` object that is none of ours."""
    if isinstance(value, list):
        return [unpack(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = next((key for key in value if key.startswith("$")), None)
    if kind is None:
        return {key: unpack(item) for key, item in value.items()}
    body = value[kind]
    if kind == "$bytes":
        data = base64.b64decode(body, validate=True)
        return Cut(data, int(value["length"]), str(value["sha256"])) if "length" in value else data
    if kind == "$tuple":
        return tuple(unpack(item) for item in body)
    if kind == "$dict":
        return {unpack(key): unpack(item) for key, item in body}
    if kind == "$float":
        return float(body)
    if kind == "$repr":
        return str(body)
    raise ValueError(f"unknown mark {kind!r}")


def to_json(value: Any) -> Any:
    """Turn a dataclass (nested as deep as it likes) into JSON's own types; `typed` reads it back."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: _typed_out(kind, getattr(value, name)) for name, kind in _hints(type(value)).items()}
    return pack(value)


def typed(kind: Any, value: Any, where: str = "") -> Any:
    """Read `value` (from json.loads) as type `kind`; raises ValueError that names the key at which it is wrong."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any or origin is dict:
        result = unpack(value)
        return _expect(result, dict, where) if origin is dict else result
    if origin in (typing.Union, types.UnionType):
        inner = next(arg for arg in args if arg is not type(None))
        return None if value is None else typed(inner, value, where)
    if origin is tuple:
        return _typed_tuple(args, value, where)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _typed_dataclass(kind, value, where)
    if isinstance(kind, type) and issubclass(kind, tuple):  # a NamedTuple
        items = _expect(value, list, where)
        named = zip(_hints(kind).items(), items, strict=False)
        return kind(*(typed(t, item, f"{where}.{name}") for (name, t), item in named))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind(value)
    if kind is float:
        return float(_expect(unpack(value), (int, float), where))
    return _expect(value, kind, where)


def _typed_out(kind: Any, value: Any) -> Any:
    # A tuple whose type says that it is one needs no mark; only inside Any is one needed.
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        inner = next(arg for arg in typing.get_args(kind) if arg is not type(None))
        return None if value is None else _typed_out(inner, value)
    if origin is tuple:
        args = typing.get_args(kind)
        kinds = (args[0],) * len(value) if args[-1] is Ellipsis else args
        return [_typed_out(k, item) for k, item in zip(kinds, value, strict=True)]
    if isinstance(kind, type) and issubclass(kind, tuple):
        return [pack(item) for item in value]
    return to_json(value)


def _typed_tuple(args: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    items = _expect(value, list, where)
    if args[-1] is Ellipsis:
        return tuple(typed(args[0], item, f"{where}[{i}]") for i, item in enumerate(items))
    if len(items) != len(args):
        raise ValueError(f"{where}: expected {len(args)} items, found {len(items)}")
    return tuple(typed(k, item, f"{where}[{i}]") for i, (k, item) in enumerate(zip(args, items, strict=True)))


def _typed_dataclass(kind: Any, value: Any, where: str) -> Any:
    items, hints = _expect(value, dict, where), _hints(kind)
    prefix = f"{where}." if where else ""
    for key in items:
        if key not in hints:
            raise ValueError(f"{prefix}{key}: no such field in a {kind.__name__}")
    fields = {f.name: f for f in dataclasses.fields(kind)}
    for name, f in fields.items():
        if name not in items and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise ValueError(f"{prefix}{name}: missing")
    return kind(**{name: typed(hints[name], item, f"{prefix}{name}") for name, item in items.items()})


def _expect(value: Any, kind: Any, where: str) -> Any:
    # JSON's true is Python's int as well: a bool where a number is due is wrong all the same.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        name = kind.__name__ if isinstance(kind, type) else "number"
        raise ValueError(f"{where or 'line'}: expected {name}, found {type(value).__name__}")
    return value


@functools.cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _pack_bytes(data: bytes) -> dict[str, Any]:
    if len(data) <= KEPT:
        return {"$bytes": _b64(data)}
    return {"$bytes": _b64(data[:KEPT]), "length": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
