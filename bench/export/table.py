"""One event type as a table: CSV for spreadsheets, Parquet for data frames."""
from __future__ import annotations

import csv
import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import UsageError
from bench.trace.format import shown_name
from bench.trace.trace import Trace

# Events turned into plain values at a time.
SLICE = 1 << 16


def columns(trace: Trace, event: str, records: NDArray[Any]) -> dict[str, Any]:
    """ts [ns], cpu, pid, process and every declared field of some `records` of `trace[event]`.

    Integers and arrays of them are numpy arrays, texts are `str`; other bytes are texts in hexadecimal.
    """
    fmt = trace.format(event)
    values: dict[str, Any] = {name: _native(records[name]) for name in ("ts", "cpu", "pid")}
    values["process"] = [trace.comm(pid) for pid in values["pid"].tolist()]
    for field in (f for f in fmt.fields if not f.name.startswith("common_")):
        name = shown_name(field.name)
        if field.text:
            values[name] = trace.strings(event, name, records).tolist()
        elif field.variable:
            values[name] = [data.hex() for data in trace.payloads(event, name, records)]
        else:
            values[name] = _native(records[name])
    return values


def write_csv(trace: Trace, event: str, path: str | os.PathLike[str]) -> int:
    """Write an event type as CSV with a header line; returns the number of events."""
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for number, records in enumerate(_slices(trace, event)):
            table = columns(trace, event, records)
            if not number:
                writer.writerow(table)
            values = [cells.tolist() if isinstance(cells, np.ndarray) else cells for cells in table.values()]
            writer.writerows(zip(*values, strict=True))
    return len(trace[event])


def write_parquet(trace: Trace, event: str, path: str | os.PathLike[str]) -> int:
    """Write an event type as Parquet; needs the extra `parquet` (pyarrow), raises UsageError without it."""
    try:
        pyarrow, parquet = (importlib.import_module(name) for name in ("pyarrow", "pyarrow.parquet"))
    except ImportError as error:
        raise UsageError("Parquet needs pyarrow: pip install 'driver-bench[parquet]'") from error

    def column(values: Any) -> Any:
        if not isinstance(values, np.ndarray):
            return pyarrow.array(values, pyarrow.string())
        if values.ndim == 2:
            return pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(values.reshape(-1)), values.shape[1])
        return pyarrow.array(values)

    writer = None
    for records in _slices(trace, event):
        values_by_name = columns(trace, event, records)
        table = pyarrow.table({name: column(values) for name, values in values_by_name.items()})
        writer = writer or parquet.ParquetWriter(os.fspath(path), table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
    return len(trace[event])


def _slices(trace: Trace, event: str) -> Iterator[NDArray[Any]]:
    """The records of an event type in slices; one empty slice when there are no records."""
    records = trace[event]
    for start in range(0, max(len(records), 1), SLICE):
        yield records[start:start + SLICE]


def _native(values: NDArray[Any]) -> NDArray[Any]:
    """A contiguous copy of a column in this machine's byte order."""
    return np.ascontiguousarray(values, values.dtype.newbyteorder("="))
