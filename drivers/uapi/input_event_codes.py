"""Input events, packed on the target and unpacked on the host.

Ref: Documentation/input/event-codes.rst
"""
from __future__ import annotations

import struct

EV_SYN, EV_KEY, EV_REL, EV_MSC = 0, 1, 2, 4
SYN_REPORT, SYN_DROPPED = 0, 3
REL = {0: "x", 1: "y", 8: "wheel", 11: "wheel_hi_res"}
KEYS = {0x110: "left", 0x111: "right", 0x112: "middle", 0x113: "side", 0x114: "extra"}
PACKED = struct.Struct("<qHHi")  # time [ns], type, code, value


def frames(packed: bytes) -> list[dict[str, int]]:
    """The events between two SYN_REPORTs as one mapping each: at_ns, and the value of each event by
    `name_of`.
    """
    completed: list[dict[str, int]] = []
    fields: dict[str, int] = {}
    for at_ns, kind, code, value in PACKED.iter_unpack(packed):
        if (kind, code) == (EV_SYN, SYN_REPORT):
            completed.append({"at_ns": at_ns, **fields})
            fields = {}
        else:
            fields[name_of(kind, code)] = value
    return completed


def name_of(kind: int, code: int) -> str:
    """An event's name: x, y, wheel, a button's name, "dropped" for SYN_DROPPED, "type/code" for any
    other.
    """
    if kind == EV_REL and code in REL:
        return REL[code]
    if kind == EV_KEY and code in KEYS:
        return KEYS[code]
    return "dropped" if (kind, code) == (EV_SYN, SYN_DROPPED) else f"{kind}/{code}"


def motion(packed: bytes) -> list[list[int]]:
    """[x, y, wheel] of each frame, 0 for an axis without an event."""
    return [[frame.get(axis, 0) for axis in ("x", "y", "wheel")] for frame in frames(packed)]


def buttons(packed: bytes) -> list[list[str | int]]:
    """[button, value] in the order of the events."""
    return [
        [name_of(kind, code), value]
        for _, kind, code, value in PACKED.iter_unpack(packed)
        if kind == EV_KEY
    ]
