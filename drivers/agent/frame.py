"""Frames between host and agent: a JSON header and raw attachments, over any byte stream.

    magic 'BNCH' | u32 header length | u32 attachments' total length | header | attachments

All little endian; the header is JSON in UTF-8. Its "attachments" lists their lengths. A `bytes`
value anywhere in the header travels as an attachment and is {"$bytes": index} in the JSON.
"""
from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any, Dict

HEAD = struct.Struct("<4sII")
MAGIC = b"BNCH"
MAX_HEADER = 16 << 20  # bytes; a longer one is garbage
MAX_ATTACHMENTS = 256 << 20
PLAIN = (str, int, float, bool, type(None))  # JSON carries these
ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=True)


Frame = Dict[str, Any]  # a header as received: plain JSON values and bytes


class FrameError(Exception):
    """The stream has no frame where one must begin, or a frame's header is malformed."""


def pack(header: Mapping[str, object]) -> list[bytes]:
    """Return the pieces of the frame that carries `header`, to be sent one after another.

    Raises TypeError for a value that a frame cannot carry; its text has the value.
    """
    attachments: list[bytes] = []
    plain = _take_bytes(header, attachments)
    assert isinstance(plain, dict)
    return [head(plain, [len(a) for a in attachments]), *attachments]


def head(header: Mapping[str, object], lengths: list[int]) -> bytes:
    """A frame up to its attachments, which have these lengths and stand in
    `header` as {"$bytes": index}.
    """
    text = ENCODER.encode(dict(header, attachments=lengths)).encode()
    return HEAD.pack(MAGIC, len(text), sum(lengths)) + text


def unpack(read: Callable[[int], bytes]) -> Frame:
    """Read one frame; `read(n)` returns exactly n bytes.  Raises FrameError."""
    magic, header_length, total = HEAD.unpack(read(HEAD.size))
    if magic != MAGIC:
        raise FrameError(f"expected a frame, found {magic!r}")
    if header_length > MAX_HEADER or total > MAX_ATTACHMENTS:
        raise FrameError(f"a frame of {header_length} + {total} bytes is larger than the limit")
    try:
        header = json.loads(read(header_length).decode())
        lengths = header.pop("attachments")
        fits = sum(lengths) == total and min(lengths, default=0) >= 0
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
        raise FrameError(f"a frame's header is not as declared: {e}") from None
    if not fits:
        raise FrameError(f"a frame's attachments {lengths!r} are not {total} bytes")
    attachments = [read(n) for n in lengths]
    try:
        value = _put_bytes(header, attachments)
    except (IndexError, TypeError) as e:
        raise FrameError(f"a frame's header names an attachment that it lacks: {e}") from None
    if not isinstance(value, dict):
        raise FrameError("a frame's header is not a mapping")
    return value


def _take_bytes(value: object, attachments: list[bytes]) -> object:
    if isinstance(value, (bytes, bytearray, memoryview)):
        attachments.append(bytes(value))
        return {"$bytes": len(attachments) - 1}
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"a frame's mapping has text keys only, not {key!r}")
        return {
            k: v if v.__class__ in PLAIN else _take_bytes(v, attachments) for k, v in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [v if v.__class__ in PLAIN else _take_bytes(v, attachments) for v in value]
    if isinstance(value, PLAIN):
        return value
    raise TypeError(f"a frame cannot carry a {type(value).__name__}: {repr(value)[:100]}")


def _put_bytes(value: object, attachments: list[bytes]) -> object:
    if isinstance(value, dict):
        if list(value) == ["$bytes"]:
            index = value["$bytes"]
            if index < 0:
                raise IndexError(index)
            return attachments[index]
        return {
            k: v if v.__class__ in PLAIN else _put_bytes(v, attachments) for k, v in value.items()
        }
    if isinstance(value, list):
        return [v if v.__class__ in PLAIN else _put_bytes(v, attachments) for v in value]
    return value


def exact(read_some: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Make an exact `read(n)` of a `read_some(n)` that may return less; b"" from
    it is the end: EOFError.
    """

    def read(n: int) -> bytes:
        parts: list[bytes] = []
        while n:
            part = read_some(min(n, 1 << 20))
            if not part:
                raise EOFError("the stream ended in the middle of a frame")
            parts.append(part)
            n -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    return read


__all__ = ("Frame", "FrameError", "exact", "head", "pack", "unpack")
