"""Run each check between two snapshots of the kernel's health, judge it, and write its record before the next."""
from __future__ import annotations

import contextlib
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from bench import board as boards
from bench import faults, store
from bench.board import Board, KnownDefect
from bench.errors import BenchError, Broken, Hang, Inconclusive
from bench.plugin import device_list, freeze, parametrize
from bench.plugin.coverage import Watch
from bench.plugin.device_list import DeviceList
from bench.plugin.freeze import BoardContractViolated, KernelUnhealthy
from bench.plugin.preflight import Preflight
from bench.plugin.running_check import RunningCheck, judge_board_contracts, judge_the_rest
from bench.plugin.selection import devices_of, is_check
from bench.results import board_contracts
from bench.rig.rig import Rig, quiet_labgrid
from bench.verdict import Outcome


class Checks:
    """The checks that one process runs on its own rig: all of a run, or a worker's share."""

    def __init__(self, config: pytest.Config, board: Board, folder: Path) -> None:
        self.config, self.board, self.folder = config, board, folder
        self.worker: str = getattr(config, "workerinput", {}).get("workerid", "")
        self.proving = bool(config.getoption("--prove"))
        self.faults: tuple[str, ...] = tuple(config.getoption("--fault"))
        self.board_contracts = board_contracts.load(self.board.folder)
        self.known_defects = (*self.board.known_defects, *boards.of_drivers())
        self.coverage = Watch(self.board) if config.getoption("--coverage") else None
        self.current = RunningCheck.nothing()
        self._rig: Rig | None = None
        self._writer: store.Writer | None = None
        given = getattr(config, "workerinput", {}).get("devices")  # every worker collects by the same list
        self.devices = DeviceList(device_list.load(board) if given is None else json.loads(given))
        self._last_snapshot: dict[str, Any] | None = None  # after the last check
        self._last_snapshot_boot = 0
        self._preflight = Preflight()
        self._setup_error: BaseException | None = None
        self._dirty_boot = -1  # this boot is dirty: reboot before the next check

    @property
    def rig(self) -> Rig:
        """The rig, its agent ready."""
        if self._rig is None:
            quiet_labgrid()
            self._rig = Rig(str(self.board.folder))
        if self._dirty or self._rig.dirty:
            self._rig.power_off()
        self._preflight.start(self._rig)
        return self._rig

    @property
    def _dirty(self) -> bool:
        """Whether a crash, a hang or a seeded bug left the target dirty, and it was not rebooted since."""
        return self._rig is not None and self._dirty_boot == self._rig.boots

    def _mark_dirty(self) -> None:
        if self._rig is not None:
            self._dirty_boot = self._rig.boots

    @property
    def writer(self) -> store.Writer:
        """The run's record."""
        if self._writer is None:
            self._writer = store.Writer(self.folder, join=True)
        if not self._writer.started:
            rig = self._rig if self._rig and self._rig.identity else None
            probe = self._preflight.probe(rig) if rig else None
            self._writer.start(freeze.run_info(self.board, rig, probe, self.faults, self.coverage))
        return self._writer

    def _known_defect(self, item: pytest.Item) -> KnownDefect | None:
        """The known defect that the check shows on this kernel."""
        bound = (name for mark in item.iter_markers("driver") for name in mark.args)
        under_test = (*self.board.drivers_of(devices_of(item, self.board)), *bound)
        release = str(self._rig.identity.get("release", "")) if self._rig else ""
        return boards.applying(self.known_defects, item.nodeid, under_test, release)

    # pytest's hooks, in the order of a check's life

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        if not is_check(item):
            return (yield)
        self.begin(item)
        return (yield)

    def begin(self, item: pytest.Item) -> None:
        """Make `item` the running check."""
        self.current = RunningCheck.start(item, self.faults)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        self._setup_error = None
        if is_check(item) and not item.get_closest_marker("skip"):
            try:
                self._begin(item)
            except (Exception, pytest.skip.Exception) as e:
                self._setup_error = e  # pytest's own set-up must have begun before it is raised, or its tear-down fails
        return (yield)

    def admit(self) -> None:
        """Raise the error of the check's preparation, if any."""
        if self._setup_error:
            raise self._setup_error

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        try:
            return (yield)
        finally:
            if is_check(item) and self._rig:
                self.current.crossings, self.current.wire = freeze.wire_seen(self._rig, self.current.started_ns)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        try:
            return (yield)
        finally:
            if is_check(item):
                self._end()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if is_check(item) and call.excinfo is not None:
            outcome, reason = freeze.outcome_of(call.excinfo), freeze.reason_of(call.excinfo)
            self.current.fail(outcome, reason, report.longreprtext)
            if call.excinfo.errisinstance((Hang, Broken)):
                self._mark_dirty()
            defect = self._known_defect(item)
            if defect and self.current.outcome is Outcome.FAIL and report.failed and not self.proving:
                report.outcome, report.wasxfail = "skipped", defect.reason
        if is_check(item) and call.when == "teardown":
            report.check = store.to_json(self._record(item).in_short())  # type: ignore[attr-defined]
        return report

    @pytest.hookimpl(trylast=True)  # the undo of an interrupted check needs the rig
    def pytest_sessionfinish(self) -> None:
        if self._writer:
            self._writer.close()
        if self._rig:
            with contextlib.suppress(BenchError):
                self.current.undo.close()
                if self._rig.answering:
                    self._preflight.restore(self._rig)
                    self.config.hook.pytest_bench_leave(rig=self._rig)
            with contextlib.suppress(BenchError):
                self._rig.close()

    # around one check

    def _begin(self, item: pytest.Item) -> None:
        rig = self.rig
        device = self._device(item, rig)
        if self.coverage:
            self.coverage.begin(rig)
        _ = self.writer  # the run's line is there when the first check begins
        self._preflight.require(rig, devices_of(item, self.board))
        for cable in rig.cables.values():
            cable.clear()
        for chip in rig.access.chips.values():
            chip.clear()
        self.current.open(rig, self._last_snapshot if self._last_snapshot_boot == rig.boots else None)
        self._last_snapshot = None
        self._preflight.remember(rig, self.current.before["modules"])
        callspec = getattr(item, "callspec", None)
        params = callspec.params if callspec else {}
        proven = params.get("proven_fault", "")
        names = (*self.faults, *([proven] if proven else ()))
        self.current.faults = names
        self.current.undo.enter_context(faults.switched_on(rig, *names, driver=device.get("driver", "")))

    def _device(self, item: pytest.Item, rig: Rig) -> dict[str, Any]:
        """The device that a life-cycle check is about, {} for another check; skips an inapplicable action."""
        action, name = parametrize.action_of(item), parametrize.device_of(item)
        if action is None:
            # Listed at the first check of a run that needs it, before any check has left something unbound.
            if self.devices.found is None and any(map(parametrize.action_of, item.session.items)):
                with contextlib.suppress(BenchError):
                    self.devices.read(rig)
            return {}
        devices = self.devices.read(rig)
        if name is None:
            raise Broken("the board's devices could not be listed when this check was to run for each of them")
        if name not in devices:
            why = f"the board has no device {name} with a driver; it was there when the devices were last listed"
        elif action in devices[name]["cannot"]:
            why = devices[name]["cannot"][action]
        else:
            return devices[name]
        if self.proving:  # a proof that is skipped proves nothing; the next one goes by the list as it is now
            raise Inconclusive(f"{why}; run it again")
        pytest.skip(why)

    def _end(self) -> None:
        """After the check's own tear-down: faults off, health compared; raises KernelUnhealthy for what is new."""
        if self._rig is None or self.current.rig is None:
            return
        try:
            self.current.undo.close()
            self._rig.journal = None  # later calls are the bench's own
            if self.coverage:
                self.current.covered = self.coverage.end(self._rig, alive=not self._dirty)
            if not self._dirty and self.current.boot == self._rig.boots:
                issues = self.current.close(self._rig)
                violated = judge_board_contracts(self.board_contracts, self.current.journal)
                if not self.proving:  # a proof reloads the drivers in between
                    self._last_snapshot, self._last_snapshot_boot = self.current.after, self._rig.boots
                bad = [issue for issue in issues if issue.severity == "fail"]
                if bad:
                    if any(issue.kind in ("crash", "taint", "splat", "reset") for issue in bad):
                        self._mark_dirty()
                    raise KernelUnhealthy(bad)
                if violated and not self.proving:  # a proof asks what the check itself catches
                    raise BoardContractViolated(violated)
            elif self.current.rig:
                self.current.close_dead(self._rig)
        except (Hang, Broken):
            self._mark_dirty()
            self.current.close_dead(self._rig)
            raise
        finally:
            self._rig.journal = None
            if self.proving and not self._dirty:
                self._restore(self._rig)

    def _restore(self, rig: Rig) -> None:
        """After a proof: reload the drivers (faster than a power cycle); mark the board dirty if that fails."""
        try:
            for device in self.board.with_exerciser(self.current.exerciser):
                _ = rig.exerciser("kernel").reload_module(name=device.driver).value
        except BenchError:
            self._mark_dirty()

    def _record(self, item: pytest.Item) -> store.CheckRecord:
        """The check's record, on the disk with its files when this returns."""
        # The same number in every worker, so that no two write one file.
        number = item.stash.get(parametrize.NUMBER, None) or f"{item.session.items.index(item):04d}"
        if self.current.outcome is Outcome.FAIL:
            judge_the_rest(self.current.journal)
        record = freeze.check_record(self.current, self._known_defect(item), self.worker)
        record = freeze.keep_files(record, self.current, self.folder, number)
        self.writer.add(record)
        return record

