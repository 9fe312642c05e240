"""Progress of a set-up: bars on a terminal, a line now and then in a log.

rich is imported only when there is a bar to draw: a set-up that finds everything cached must not pay for it.
"""
from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

PLAIN_INTERVAL_S = 15.0  # between two lines of one step in a log


class Step(Protocol):
    """One long step, while it runs."""

    def update(self, detail: str | None = None, done: float | None = None, total: float | None = None) -> None:
        """Show the current item and amount (any unit; total alone fixes the scale)."""


class Progress(Protocol):
    """Shows steps one after another."""

    def step(self, title: str) -> contextlib.AbstractContextManager[Step]:
        """Show a step from now to the end of the `with`; its time is shown when it is done."""

    def say(self, text: str) -> None:
        """Show one line."""


class Plain:
    """Lines for a log: a step's start, how far it is every 15 s, and its end with the time it took."""

    def __init__(self, stream: TextIO, interval_s: float = PLAIN_INTERVAL_S) -> None:
        self.stream = stream
        self.interval_s = interval_s

    def say(self, text: str) -> None:
        """Write one line at once."""
        print(text, file=self.stream, flush=True)

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Write the step's start and end."""
        self.say(f"{title} …")
        started = time.monotonic()
        yield _PlainStep(self, title)
        self.say(f"{title}: done in {time.monotonic() - started:.1f} s")


class _PlainStep:
    def __init__(self, progress: Plain, title: str) -> None:
        self.progress, self.title = progress, title
        self.detail, self.done, self.total = "", 0.0, 0.0
        self.next = time.monotonic() + progress.interval_s

    def update(self, detail: str | None = None, done: float | None = None, total: float | None = None) -> None:
        self.detail = self.detail if detail is None else detail
        self.done = self.done if done is None else done
        self.total = self.total if total is None else total
        if time.monotonic() >= self.next:
            self.next = time.monotonic() + self.progress.interval_s
            share = f" {100 * min(self.done / self.total, 1):.0f} %" if self.total else ""
            self.progress.say(f"{self.title}:{share} {self.detail}")


class Bars:
    """Bars on a terminal, drawn by rich."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def say(self, text: str) -> None:
        """Write one line at once."""
        print(text, file=self.stream, flush=True)

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Draw one bar until the step ends; it stays with its time when done."""
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.table import Column

        console = Console(file=self.stream)
        with Progress(TextColumn(f"{escape(title):<34}"), BarColumn(bar_width=24), TimeElapsedColumn(),
                      TextColumn("{task.fields[detail]}", markup=False,
                                 table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
                      console=console, expand=True) as bars:
            task = bars.add_task(title, total=None, detail="")
            yield _BarStep(bars, task)
            bars.update(task, total=1, completed=1, detail="done")


class _BarStep:
    def __init__(self, bars: RichProgress, task: TaskID) -> None:
        self.bars, self.task = bars, task

    def update(self, detail: str | None = None, done: float | None = None, total: float | None = None) -> None:
        self.bars.update(self.task, completed=done, total=total)
        if detail is not None:
            self.bars.update(self.task, detail=detail)


def for_stream(stream: TextIO | None = None) -> Progress:
    """Return bars when `stream` (standard error) is a terminal, else plain lines."""
    stream = stream or sys.stderr
    return Bars(stream) if stream.isatty() else Plain(stream)
