"""Frames between host and agent: a JSON header and raw attachments, over any byte stream.

    magic 'BNCH' | u32 header length | u32 attachments' total length | header (JSON, UTF-8) | attachments

All little endian.  The header's "attachments" lists their lengths.  A `bytes` value anywhere in the
header travels as an attachment and stands in the JSON as {"$bytes": index}.
"""
from __future__ import annotations

import json
import struct
from typing import Any, Callable, Dict, List, Tuple

HEAD = struct.Struct("<4sII")
MAGIC = b"BNCH"
MAX_HEADER = 16 << 20  # bytes; a longer one is taken for garbage
MAX_ATTACHMENTS = 256 << 20
PLAIN = (str, int, float, bool, type(None))  # what JSON carries as it is
ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=True)


class FrameError(Exception):
    """The stream does not hold a frame where one must begin, or its header is not as declared."""


def pack(header: Dict[str, Any]) -> List[bytes]:
    """Return the pieces of the frame that carries `header`, to be sent one after another.

    Raises TypeError for a value that a frame cannot carry, naming it.
    """
    attachments: List[bytes] = []
    plain = _take_bytes(header, attachments)
    return [head(plain, [len(a) for a in attachments]), *attachments]


def head(header: Dict[str, Any], lengths: List[int]) -> bytes:
    """A frame up to its attachments, which have these lengths and stand in `header` as {"$bytes": index}."""
    text = ENCODER.encode(dict(header, attachments=lengths)).encode()
    return HEAD.pack(MAGIC, len(text), sum(lengths)) + text


def unpack(read: Callable[[int], bytes]) -> Dict[str, Any]:
    """Read one frame; `read(n)` returns exactly n bytes.  Raises FrameError."""
    magic, header_length, total = HEAD.unpack(read(HEAD.size))
    if magic != MAGIC:
        raise FrameError("expected a frame, found %r" % (magic,))
    if header_length > MAX_HEADER or total > MAX_ATTACHMENTS:
        raise FrameError("a frame of %d + %d bytes is larger than the limit" % (header_length, total))
    try:
        header = json.loads(read(header_length).decode())
        lengths = header.pop("attachments")
        fits = sum(lengths) == total and min(lengths, default=0) >= 0
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
        raise FrameError("a frame's header is not as declared: %s" % e) from None
    if not fits:
        raise FrameError("a frame's attachments %r are not %d bytes" % (lengths, total))
    attachments = [read(n) for n in lengths]
    try:
        value = _put_bytes(header, attachments)
    except (IndexError, TypeError) as e:
        raise FrameError("a frame's header names an attachment that it lacks: %s" % e) from None
    if not isinstance(value, dict):
        raise FrameError("a frame's header is not a mapping")
    return value


def _take_bytes(value: Any, attachments: List[bytes]) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        attachments.append(bytes(value))
        return {"$bytes": len(attachments) - 1}
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError("a frame's mapping has text keys only, not %r" % (key,))
        return {k: v if v.__class__ in PLAIN else _take_bytes(v, attachments) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [v if v.__class__ in PLAIN else _take_bytes(v, attachments) for v in value]
    if isinstance(value, PLAIN):
        return value
    raise TypeError("a frame cannot carry a %s: %.100r" % (type(value).__name__, value))


def _put_bytes(value: Any, attachments: List[bytes]) -> Any:
    if isinstance(value, dict):
        if list(value) == ["$bytes"]:
            index = value["$bytes"]
            if index < 0:
                raise IndexError(index)
            return attachments[index]
        return {k: v if v.__class__ in PLAIN else _put_bytes(v, attachments) for k, v in value.items()}
    if isinstance(value, list):
        return [v if v.__class__ in PLAIN else _put_bytes(v, attachments) for v in value]
    return value


def exact(read_some: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Make an exact `read(n)` of a `read_some(n)` that may return less; b"" from it is the end: EOFError."""

    def read(n: int) -> bytes:
        parts: List[bytes] = []
        while n:
            part = read_some(min(n, 1 << 20))
            if not part:
                raise EOFError("the stream ended in the middle of a frame")
            parts.append(part)
            n -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    return read


__all__: Tuple[str, ...] = ("FrameError", "exact", "head", "pack", "unpack")
