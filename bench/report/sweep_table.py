"""Checks that go through many cases, each with its rows as a table in the terminal."""
from __future__ import annotations

import itertools

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.report.terminal import mark, reasons, verdict
from bench.store import CheckRecord, Record
from bench.trace.text import line

_RANGE = "n"  # rows that differ in this only are shown as one
_TIME = "seconds"


def rows(record: Record) -> RenderableType:
    """Return the rows of each check that has some, then why checks failed, and the verdict on the run."""
    parts: list[RenderableType] = []
    for check in record.checks:
        parts += [Text.assemble(mark(check), " ", (f"{line(check.exerciser)}: {line(check.sentence)}", "bold"))]
        if check.rows:
            parts += [Padding(part, (0, 0, 0, 2)) for part in _table(check)]
    return Group(*parts, reasons(record), verdict(record))


def _table(check: CheckRecord) -> tuple[Text, Table]:
    """What all rows have in common, and the rows."""
    columns = list(dict.fromkeys(name for row in check.rows for name in row))
    common = [c for c in columns if c != _RANGE and len({str(row.get(c)) for row in check.rows}) == 1]
    said = ", ".join(f"{line(name)} {line(str(check.rows[0][name]))}" for name in common)
    columns = [name for name in columns if name not in common]
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for name in columns:
        grid.add_column(line(name), justify="right" if name in (_RANGE, _TIME) else "left", overflow="fold")
    alike = itertools.groupby(check.rows, lambda row: [row.get(c) for c in columns if c not in (_RANGE, _TIME)])
    for _, group in alike:
        same = list(group)
        grid.add_row(*(_cell(name, [row.get(name, "") for row in same]) for name in columns))
    return Text(said, style="dim"), grid


def _cell(name: str, values: list[object]) -> str:
    if name == _RANGE and len(values) > 1:
        return f"{values[0]}–{values[-1]}"
    if name == _TIME:
        return f"{max(float(str(value)) for value in values):.2f}"
    return line(str(values[0]))
