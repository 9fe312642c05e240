"""Progress while checks run: a bar on a terminal, a line per check elsewhere."""
from __future__ import annotations

from collections.abc import Sequence

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from bench.report import plain
from bench.store import CheckRecord, sentence_of
from bench.verdict import Outcome

STYLE = {
    Outcome.PASS: "green", Outcome.FAIL: "bold red", Outcome.INCONCLUSIVE: "yellow",
    Outcome.SKIP: "dim", Outcome.BROKEN: "bold magenta",
}


class Live:
    """A pytest plugin that shows what runs and how each check ended."""

    def __init__(self, console: Console, proving: bool, skips: bool = True) -> None:
        self.console, self.proving, self.skips = console, proving, skips
        self.error = ""
        self._running: dict[str, str] = {}  # node id → what is shown of it
        self.progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(bar_width=24),
            MofNCompleteColumn(), TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal,
        )
        self.task = self.progress.add_task("booting the board", total=None)
        self.progress.start()

    def close(self) -> None:
        """Take the bar away."""
        self.progress.stop()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if session.items:
            self.progress.update(self.task, total=len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        self.progress.update(self.task, total=len(ids))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.error = report.longreprtext

    def pytest_internalerror(self, excrepr: object) -> None:
        self.error = str(excrepr)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._running[nodeid] = sentence_of(nodeid)
        self._describe()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._running.pop(nodeid, None)
        self._describe()

    def _describe(self) -> None:
        if self._running:  # each of the checks that run at once has its share of the line
            width = 62 // len(self._running) - 2
            self.progress.update(self.task, description=", ".join(name[:width] for name in self._running.values()))

    def pytest_bench_check(self, record: CheckRecord) -> None:
        self.progress.advance(self.task)
        task = self.progress.tasks[0]
        if task.total is not None and task.completed > task.total:  # a stand-in became more than one check
            self.progress.update(self.task, total=task.completed)
        if record.outcome is Outcome.SKIP and not self.skips:
            return
        style = STYLE[record.outcome]
        if self.proving and record.outcome is not Outcome.SKIP:
            caught = record.outcome is Outcome.FAIL
            line = Text.assemble(("caught      " if caught else "NOT CAUGHT  ", "green" if caught else "bold red"))
        else:
            known = record.known_defect and record.outcome is Outcome.FAIL
            line = Text.assemble((f"{'known' if known else record.outcome!s:<12} ", "cyan" if known else style))
        line.append(f"{record.seconds:6.1f} s  {record.exerciser}: {plain(record.sentence)}")
        if record.reason and not (self.proving and record.outcome is Outcome.FAIL):
            line.append(f"\n{'':23}{plain(record.reason)}", style="dim")
        self.console.print(line, soft_wrap=True, highlight=False)
