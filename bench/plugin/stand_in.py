"""Run a check's stand-in: one check for each device of the running board that its list did not name."""
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from _pytest.runner import runtestprotocol  # what pytest's own pytest_runtest_protocol calls, and no hook offers

from bench.errors import BenchError
from bench.plugin.parametrize import ARGUMENT, NUMBER, is_stand_in

if TYPE_CHECKING:
    from bench.plugin.checks import Checks


class StandIns:
    """Each of their checks is selected, set up, judged and recorded as if it had been collected."""

    def __init__(self, checks: Checks) -> None:
        self.checks = checks

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        if not is_stand_in(item):
            return None
        try:
            self.checks.devices.read(self.checks.rig)
        except BenchError:
            return None  # the stand-in itself runs and reports it: see Checks
        cells = self._cells(item) if self.checks.devices.unlisted() else []
        for cell, following in zip(cells, [*cells[1:], nextitem], strict=False):  # none without a cell
            self._run(item, cell, following)
            if item.session.shouldfail or item.session.shouldstop:
                break
        return True

    def _cells(self, item: pytest.Item) -> list[pytest.Item]:
        """The check for each unlisted device that this run's options select; as the stand-in in all but the device."""
        assert isinstance(item, pytest.Function) and isinstance(item.parent, pytest.Module)
        items: list[pytest.Item] = [
            cell for cell in item.parent.collect()
            if isinstance(cell, pytest.Function) and cell.originalname == item.originalname
            and {**cell.callspec.params, ARGUMENT: None} == item.callspec.params
        ]
        item.config.hook.pytest_collection_modifyitems(session=item.session, config=item.config, items=items)
        for number, cell in enumerate(items):
            cell.stash[NUMBER] = f"{item.session.items.index(item):04d}.{number:03d}"
        return items

    def _run(self, item: pytest.Item, cell: pytest.Item, following: pytest.Item | None) -> None:
        self.checks.begin(cell)
        cell.ihook.pytest_runtest_logstart(nodeid=cell.nodeid, location=cell.location)
        for report in runtestprotocol(cell, log=False, nextitem=following):
            if self.checks.worker:  # pytest-xdist takes reports of the collected check only; the record has the name
                report.nodeid = item.nodeid
            cell.ihook.pytest_runtest_logreport(report=report)
        cell.ihook.pytest_runtest_logfinish(nodeid=cell.nodeid, location=cell.location)
