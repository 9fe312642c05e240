"""Fields whose bytes lie outside the fixed part of a record: strings and payloads."""
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import RecordError
from bench.trace.event_index import EventIndex, Rows
from bench.trace.format import HEAD, EventFormat, Field

# Strings up to this many bytes are gathered as one table; longer ones one by one.
SHORT = 256
# Strings of the longest one's width, up to this many bytes in all: one long text must not fill memory.
LARGEST_TABLE = 64 << 20
Offsets = NDArray[np.int64]


def spans(index: EventIndex, fmt: EventFormat, field: Field, records: NDArray[Any],
          rows: Rows) -> tuple[Offsets, Offsets]:
    """Where a field's bytes start within each record's data, and how many they are.

    Raises RecordError for a location that reaches past its event.
    """
    room = index.length[rows].astype(np.int64) * 4
    if field.kind == "tail":
        start = np.full(rows.size, field.offset, np.int64)
        return start, np.maximum(room - start, 0)
    if not field.variable:
        return np.full(rows.size, field.offset, np.int64), np.full(rows.size, field.size, np.int64)
    location = _location(records, field, index.layout.order)
    start, length = location & 0xFFFF, location >> 16
    if field.kind == "rel_loc":
        start += field.offset + field.size
    wrong = np.flatnonzero(start + length > room)
    if wrong.size:
        at = int(wrong[0])
        raise RecordError(f"{index.where(int(rows[at]))}: {fmt.full_name}.{field.name} lies at {start[at]}, "
                          f"{length[at]} bytes long, in an event of {room[at]} bytes")
    return start, length


def _location(records: NDArray[Any], field: Field, order: str) -> Offsets:
    """A location word straight from the records' bytes, whatever the typed array calls it."""
    view = np.dtype({"names": ["x"], "formats": [f"{order}u4"], "offsets": [HEAD + field.offset],
                     "itemsize": records.dtype.itemsize})
    return records.view(view)["x"].astype(np.int64)


def text_bytes(index: EventIndex, fmt: EventFormat, field: Field, records: NDArray[Any]) -> NDArray[Any]:
    """A text field as an array of numpy bytes (`S…`), each cut at its first NUL; of objects when that is too large."""
    records = np.ascontiguousarray(records)
    rows = records["row"]
    start, length = spans(index, fmt, field, records, rows)
    width = int(length.max(initial=0))
    if width == 0:
        return np.zeros(rows.size, "S1")
    if width > SHORT:
        whole = payloads(index, fmt, field, records)
        texts = [text.split(b"\0", 1)[0] for text in whole]
        return np.array(texts, np.bytes_ if width * rows.size <= LARGEST_TABLE else object)
    table = np.zeros((rows.size, width), np.uint8)
    begin = index.place[rows].astype(np.int64) * 4 + start
    for size in np.unique(length).tolist():
        same = np.flatnonzero(length == size)
        every = np.ndarray((index.pool.data.size - size + 1,), f"V{size}", index.pool.data, strides=(1,))
        table[same, :size] = every[begin[same]].view(np.uint8).reshape(-1, size) if size else 0
    nul = table == 0
    cut = np.where(nul.any(axis=1), nul.argmax(axis=1), width)
    table[np.arange(width) >= cut[:, None]] = 0
    return table.reshape(-1).view(f"S{width}")


def payloads(index: EventIndex, fmt: EventFormat, field: Field, records: NDArray[Any]) -> list[bytes]:
    """A field's bytes of each record."""
    records = np.ascontiguousarray(records)
    rows = records["row"]
    start, length = spans(index, fmt, field, records, rows)
    return [index.data(row)[at:at + size].tobytes()
            for row, at, size in zip(rows.tolist(), start.tolist(), length.tolist(), strict=True)]


def decoded(column: NDArray[Any]) -> NDArray[Any]:
    """Bytes to `str` objects, each different text once; bytes that are no UTF-8 are shown as \\xNN."""
    if not column.size:
        return np.empty(0, object)
    unique, inverse = np.unique(column, return_inverse=True)
    texts = np.array([bytes(text).decode("utf-8", "backslashreplace") for text in unique.tolist()], dtype=object)
    return texts[inverse.reshape(-1)]
