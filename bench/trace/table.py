"""One event type as a table: CSV for spreadsheets, Parquet for data frames."""
from __future__ import annotations

import csv
import importlib
import os
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.trace.format import shown_name
from bench.trace.trace import Trace


def columns(trace: Trace, event: str) -> dict[str, list[Any]]:
    """ts [ns], cpu, pid, process and every declared field of an event type, as plain values; bytes in hexadecimal."""
    records, fmt = trace[event], trace.format(event)
    made: dict[str, list[Any]] = {name: records[name].tolist() for name in ("ts", "cpu", "pid")}
    made["process"] = [trace.comm(pid) for pid in made["pid"]]
    for field in (f for f in fmt.fields if not f.name.startswith("common_")):
        name = shown_name(field.name)
        if field.text:
            made[name] = trace.strings(event, name).tolist()
        elif field.variable:
            made[name] = [data.hex() for data in trace.payloads(event, name)]
        else:
            made[name] = records[name].tolist()
    return made


def write_csv(trace: Trace, event: str, path: str | os.PathLike[str]) -> int:
    """Write an event type as CSV with a line of names first; returns the number of events."""
    made = columns(trace, event)
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(made)
        writer.writerows(zip(*made.values(), strict=True))
    return len(made["ts"])


def write_parquet(trace: Trace, event: str, path: str | os.PathLike[str]) -> int:
    """Write an event type as Parquet; needs the extra `parquet` (pyarrow), raises UsageError without it."""
    try:
        pyarrow, parquet = (importlib.import_module(name) for name in ("pyarrow", "pyarrow.parquet"))
    except ImportError as error:
        raise UsageError("Parquet needs pyarrow: pip install 'driver-bench[parquet]'") from error
    made = columns(trace, event)
    parquet.write_table(pyarrow.table(made), os.fspath(path))
    return len(made["ts"])
