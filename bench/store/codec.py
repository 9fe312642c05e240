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
from typing import Any

import cattrs
from cattrs.cols import is_namedtuple

from bench.verdict import Outcome

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
    return _converter().unstructure(value)


def typed(kind: Any, value: Any) -> Any:
    """Read `value` (from json.loads) as type `kind`; raises ValueError that names the key at which it is wrong."""
    try:
        return _converter().structure(value, kind)
    except cattrs.BaseValidationError as error:
        text, _, path = cattrs.transform_error(error, format_exception=_reason)[0].rpartition(" @ $")
        raise ValueError(f"{path.removeprefix('.')}: {text}" if path else text) from None


@functools.cache
def _converter() -> cattrs.Converter:
    """Strict where cattrs converts ("2" is no int, true is no number); an Any or a dict keeps its tuples and bytes."""
    converter = cattrs.Converter(forbid_extra_keys=True)
    plain = converter.get_structure_hook(tuple[int, ...])
    for kind in (int, str, bool):
        converter.register_structure_hook(kind, _strict)
    converter.register_structure_hook(Outcome, lambda value, _: Outcome(value))  # a str as well, but that is not all
    converter.register_structure_hook(float, lambda value, _: float(_strict(unpack(value), int | float)))
    converter.register_structure_hook_func(_is_tuple, lambda value, kind: plain(_items(value, kind), kind))
    converter.register_structure_hook_func(
        is_namedtuple, lambda value, kind: kind(*converter.structure(value, _tuple(kind))))
    converter.register_structure_hook_func(lambda kind: kind is Any, lambda value, _: unpack(value))
    converter.register_structure_hook_func(_is_dict, lambda value, _: _strict(unpack(value), dict))
    converter.register_unstructure_hook(Outcome, str)
    converter.register_unstructure_hook_func(
        lambda kind: is_namedtuple(kind) or _is_fixed(kind), lambda value: [pack(item) for item in value])
    # Numbers as well: some are infinite, some are numpy's.
    converter.register_unstructure_hook_func(lambda kind: kind in (Any, int, float) or _is_dict(kind), pack)
    return converter


def _is_fixed(kind: Any) -> bool:
    """Whether it is a tuple of so many items, each with its own type."""
    return _is_tuple(kind) and typing.get_args(kind)[-1] is not Ellipsis


def _tuple(kind: Any) -> Any:
    # cattrs does not resolve the annotations of a NamedTuple when they are texts.
    return types.GenericAlias(tuple, tuple(typing.get_type_hints(kind).values()))


def _is_dict(kind: Any) -> bool:
    return kind is dict or typing.get_origin(kind) is dict


def _is_tuple(kind: Any) -> bool:
    return typing.get_origin(kind) is tuple


def _strict(value: Any, kind: Any) -> Any:
    # JSON's true is Python's int as well: a bool where a number is due is wrong all the same.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        name = kind.__name__ if isinstance(kind, type) else "number"
        raise ValueError(f"expected {name}, found {type(value).__name__}")
    return value


def _items(value: Any, kind: Any) -> Any:
    # Any iterable would do for cattrs: a text, letter by letter.
    args = typing.get_args(kind)
    if args[-1] is not Ellipsis and len(_strict(value, list)) != len(args):
        raise ValueError(f"expected {len(args)} items, found {len(value)}")
    return _strict(value, list)


def _reason(error: BaseException, _: Any) -> str:
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        return f"no such field in a {error.cl.__name__}: {', '.join(sorted(error.extra_fields))}"
    return "missing" if isinstance(error, KeyError) else str(error)


def _pack_bytes(data: bytes) -> dict[str, Any]:
    if len(data) <= KEPT:
        return {"$bytes": _b64(data)}
    return {"$bytes": _b64(data[:KEPT]), "length": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
