"""What a person (or a CI server) sees of a record: an HTML page, a table in the terminal, junit.xml, a picture."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.report.devices import devices
from bench.report.html import render, write_html
from bench.report.junit import write_junit
from bench.report.matrix import matrix
from bench.report.screenshot import picture
from bench.report.sweep_table import rows
from bench.report.terminal import changes, covered, table
from bench.store import Record
from bench.trace.text import line, plain


@dataclass(frozen=True)
class Files:
    """The files of a report."""

    html: Path
    junit: Path


def write(record: Record, folder: Path | None = None) -> Files:
    """Write report.html and junit.xml into `folder` (the record's own when not given), and say where they are."""
    folder = folder or record.folder
    files = Files(folder / "report.html", folder / "junit.xml")
    write_html(record, files.html)
    write_junit(record, files.junit)
    return files


__all__ = ["Files", "changes", "covered", "devices", "line", "matrix", "picture", "plain", "render", "rows", "table",
           "write", "write_html", "write_junit"]
