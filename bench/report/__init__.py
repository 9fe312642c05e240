"""What a person (or a CI server) sees of a record: an HTML page, a table in the terminal, junit.xml, live progress."""
from __future__ import annotations

from bench.report.html import render, write
from bench.report.junit import write_junit
from bench.report.live import LiveProgress
from bench.report.picture import picture
from bench.report.terminal import show, table

__all__ = ["LiveProgress", "picture", "render", "show", "table", "write", "write_junit"]
