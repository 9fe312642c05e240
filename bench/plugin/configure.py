"""Which parts of the plugin a process has: the run's own process records, and each process with a rig runs checks."""
from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bench import board as boards
from bench.plugin import fixtures, scheduler
from bench.plugin.checks import Checks
from bench.plugin.node_ids import NodeIds
from bench.plugin.run_record import RunRecord
from bench.plugin.selection import Selection
from bench.plugin.stand_in import StandIns
from bench.rig.exerciser import exercisers
from fixtures import chips


def configure(config: pytest.Config) -> None:
    """Register them.  Raises UsageError and BoardError for a wrong board."""
    board = boards.load(config.getoption("--board"), frozenset(exercisers()), frozenset(chips.names()))
    given = getattr(config, "workerinput", {}).get("record")  # a worker's folder is the run's
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{board.name}"
    config.pluginmanager.register(NodeIds(), "bench-node-ids")
    folder = Path(given or config.getoption("--record") or Path("records") / name).absolute()
    if not given:
        config.pluginmanager.register(RunRecord(config, board, folder), "bench-run-record")
        config.pluginmanager.register(scheduler, "bench-scheduler")
    if given:
        _keep_to_one_processor(config.workerinput["workerid"])  # type: ignore[attr-defined]
    if given or config.getoption("dist", "no") == "no":
        config.pluginmanager.register(fixtures, "bench-fixtures")
        checks = Checks(config, board, folder)
        quick = bool(config.getoption("--quick")) and not checks.proving
        config.pluginmanager.register(Selection(board, quick), "bench-selection")
        config.pluginmanager.register(checks, "bench-checks")
        config.pluginmanager.register(StandIns(checks), "bench-stand-ins")


def _keep_to_one_processor(worker: str) -> None:
    """Run this worker and its twin on one of the processors, each worker on the next.

    A register access goes from thread to thread four times. On one processor each hands over to the next; to wake one
    that sleeps on another takes longer than the access itself.
    """
    processors = sorted(os.sched_getaffinity(0))
    number = int(worker.removeprefix("gw"))
    os.sched_setaffinity(0, {processors[number % len(processors)]})
