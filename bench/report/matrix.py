"""Checks of many things as a matrix in the terminal: a row for each device, a column for each action."""
from __future__ import annotations

import re
from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench import results
from bench.report.terminal import reasons, verdict
from bench.store import CheckRecord, Record
from bench.trace.text import line
from bench.verdict import STYLES, SYMBOLS

_CASE = re.compile(r"\[(?P<column>\w+):(?P<row>[^\]]+)\]$")
Cell = tuple[str, str, CheckRecord]  # row, column, check


def matrix(record: Record) -> RenderableType:
    """Return the matrix of the checks whose case is `column:row`, why cells are empty or failed, and the verdict."""
    cells = [(m["row"], m["column"], check) for check in record.checks if (m := _CASE.search(check.name))]
    columns = list(dict.fromkeys(column for _, column, _ in cells))
    alone = {row: why for row, why in _left_alone(cells).items() if why}
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", title_justify="left",
                 title=Text(line(f"{record.run.board}, kernel {record.run.kernel or 'unknown'}"), style="bold"))
    grid.add_column("driver/device", overflow="fold")
    for column in columns:
        grid.add_column(column, justify="center", no_wrap=True)
    for row in dict.fromkeys(row for row, _, _ in cells if row not in alone):
        mine = {column: check for name, column, check in cells if name == row}
        grid.add_row(line(row), *(_mark(mine.get(column)) for column in columns))
    return Group(grid, _skipped(cells, alone), Text(), reasons(record), verdict(record))


def _mark(check: CheckRecord | None) -> Text:
    if check is None:
        return Text("")
    kind = results.kind(check)
    return Text(SYMBOLS[kind], style=STYLES[kind])


def _why(check: CheckRecord) -> str:
    return check.reason.removeprefix("Skipped: ")


def _left_alone(cells: Sequence[Cell]) -> dict[str, str]:
    """Row → the first reason for which nothing was done there; "" for a row in which something was."""
    found: dict[str, list[str]] = {}
    for row, _, check in cells:
        found.setdefault(row, []).append(_why(check) if results.kind(check) == "skip" else "")
    return {row: whys[0] if all(whys) else "" for row, whys in found.items()}


def _skipped(cells: Sequence[Cell], alone: dict[str, str]) -> RenderableType:
    """Why cells are empty: a line for each reason."""
    said = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    said.add_column(style="dim", overflow="fold", ratio=1)
    said.add_column(style="dim", overflow="fold", ratio=2)
    by_reason: dict[str, tuple[list[str], list[str]]] = {}
    for row, column, check in cells:
        if results.kind(check) == "skip" and row not in alone:
            columns, rows = by_reason.setdefault(_why(check), ([], []))
            columns += [column] if column not in columns else []
            rows += [row] if row not in rows else []
    for reason, (columns, rows) in by_reason.items():
        which = line(rows[0]) if len(rows) == 1 else f"{len(rows)} devices"
        said.add_row(f"– {', '.join(columns)}", f"{line(reason)} ({which})")
    for row, why in alone.items():
        said.add_row(f"– {line(row)}", line(why))
    return said
