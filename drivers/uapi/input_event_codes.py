"""Input events, packed for the way to the host and unpacked there.   Ref: Documentation/input/event-codes.rst"""
from __future__ import annotations

import struct
from typing import Any, Dict, List

EV_SYN, EV_KEY, EV_REL, EV_MSC = 0, 1, 2, 4
SYN_REPORT, SYN_DROPPED = 0, 3
REL = {0: "x", 1: "y", 8: "wheel", 11: "wheel_hi_res"}
KEYS = {0x110: "left", 0x111: "right", 0x112: "middle", 0x113: "side", 0x114: "extra"}
PACKED = struct.Struct("<qHHi")  # time [ns], type, code, value


def frames(packed: bytes) -> List[Dict[str, Any]]:
    """What came between two SYN_REPORTs, as one mapping each: at_ns, and the fields that the frame had.

    Fields are x, y, wheel, a button's name with 1 or 0, "dropped" for SYN_DROPPED, and "type/code" for any other.
    """
    found: List[Dict[str, Any]] = []
    fields: Dict[str, Any] = {}
    for at_ns, kind, code, value in PACKED.iter_unpack(packed):
        if (kind, code) == (EV_SYN, SYN_REPORT):
            found.append({"at_ns": at_ns, **fields})
            fields = {}
        else:
            fields[name_of(kind, code)] = value
    return found


def name_of(kind: int, code: int) -> str:
    """The field's name."""
    if kind == EV_REL and code in REL:
        return REL[code]
    if kind == EV_KEY and code in KEYS:
        return KEYS[code]
    return "dropped" if (kind, code) == (EV_SYN, SYN_DROPPED) else "%d/%d" % (kind, code)


def motion(packed: bytes) -> List[List[int]]:
    """[x, y, wheel] of each frame, 0 where it had none."""
    return [[frame.get(axis, 0) for axis in ("x", "y", "wheel")] for frame in frames(packed)]


def buttons(packed: bytes) -> List[List[Any]]:
    """[button, value] in the order that they came."""
    return [[name_of(kind, code), value] for _, kind, code, value in PACKED.iter_unpack(packed) if kind == EV_KEY]
