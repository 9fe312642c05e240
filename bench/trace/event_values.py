"""One event as plain Python values, straight from its bytes."""
from __future__ import annotations

from typing import Any

import numpy as np

from bench.errors import RecordError
from bench.trace.event_index import EventIndex
from bench.trace.format import EventFormat, Field


def plain(index: EventIndex, fmt: EventFormat, row: int) -> dict[str, Any]:
    """Field name as declared → int, str, list of int, or bytes."""
    data = index.data(row).tobytes()
    if len(data) < fmt.size:
        raise RecordError(f"{index.where(row)}: an event {fmt.full_name} of {len(data)} bytes, its format file "
                          f"describes {fmt.size}")
    return {field.name: _value(index, fmt, field, data, row) for field in fmt.fields}


def _value(index: EventIndex, fmt: EventFormat, field: Field, data: bytes, row: int) -> Any:
    order = "big" if index.layout.big_endian else "little"
    part = data[field.offset:field.offset + field.size]
    if field.kind == "int":
        return int.from_bytes(part, order, signed=field.signed)  # type: ignore[arg-type]
    if field.kind == "array":
        return np.frombuffer(part, field.dtype(index.layout.order)[0]).tolist()
    if field.kind in ("data_loc", "rel_loc"):
        location = int.from_bytes(part, order)  # type: ignore[arg-type]
        start, length = location & 0xFFFF, location >> 16
        if field.kind == "rel_loc":
            start += field.offset + field.size
        if start + length > len(data):
            raise RecordError(f"{index.where(row)}: {fmt.full_name}.{field.name} lies at {start}, {length} bytes long, "
                              f"in an event of {len(data)} bytes")
        part = data[start:start + length]
    elif field.kind == "tail":
        part = data[field.offset:]
    return part.split(b"\0", 1)[0].decode("utf-8", "backslashreplace") if field.text else part
