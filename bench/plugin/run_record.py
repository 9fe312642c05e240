"""The record of a run, one however many workers share its checks: opened, counted, closed.

Workers write their checks' lines themselves, each before its next check; a check's report carries them here in short.
"""
from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench import results, store
from bench.board import Board
from bench.plugin import device_list, freeze
from bench.rig.exerciser import exerciser_of
from bench.verdict import Outcome

CRASHED = "???"  # pytest-xdist's phase of a check whose worker died


class RunRecord:
    """The run's record in the main process."""

    def __init__(self, config: pytest.Config, board: Board, folder: Path) -> None:
        self.config, self.board, self.folder = config, board, folder
        self.records: list[store.CheckRecord] = []
        self._writer: store.Writer | None = None
        self._devices = device_list.load(board)  # read once: workers must collect the same checks

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if not self.config.getoption("collectonly"):
            self._begin(session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        self._begin(ids)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["record"] = str(self.folder)
        node.workerinput["devices"] = json.dumps(self._devices)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if hasattr(report, "check"):
            self._count(store.typed(store.CheckRecord, report.check))
        elif report.when == CRASHED:
            self._count(self._crashed(report))

    @pytest.hookimpl(trylast=True)  # all workers have ended by then
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        if self._writer:
            whole = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
            self._writer.close(results.summary(self.records).as_dict() if whole else None)

    def _begin(self, checks: Sequence[object]) -> None:
        if checks and self._writer is None:
            self._writer = store.Writer(self.folder)

    def _count(self, record: store.CheckRecord) -> None:
        self.records.append(record)
        self.config.hook.pytest_bench_check(record=record)

    def _crashed(self, report: pytest.TestReport) -> store.CheckRecord:
        """The record of a check whose worker died before it could write one."""
        assert self._writer
        worker = str(getattr(report, "node").gateway.id)  # noqa: B009  # pytest-xdist adds it
        record = store.CheckRecord(
            name=report.nodeid, sentence=store.sentence_of(report.nodeid), exerciser=exerciser_of(report.fspath),
            outcome=Outcome.BROKEN, worker=worker,
            reason=f"the bench's worker process died during this check ({report.longreprtext.strip()})",
        )
        if not self._writer.started:
            self._writer.start(freeze.run_info(self.board, None, None, tuple(self.config.getoption("--fault"))))
        self._writer.add(record)
        return record
