"""Which parts of the plugin a process has: the run's own process records, and each process with a rig runs checks."""
from __future__ import annotations

import time
from pathlib import Path

import pytest

from bench import board as boards
from bench.call import exercisers
from bench.plugin import fixtures
from bench.plugin.checks import Checks
from bench.plugin.recorder import Recorder
from fixtures import chips


def start(config: pytest.Config) -> None:
    """Register them.  Raises UsageError and BoardError for a wrong board."""
    board = boards.load(config.getoption("--board"), frozenset(exercisers()), frozenset(chips.names()))
    given = getattr(config, "workerinput", {}).get("record")  # a worker's folder is the run's
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{board.name}"
    folder = Path(given or config.getoption("--record") or Path("records") / name).absolute()
    if not given:
        config.pluginmanager.register(Recorder(config, board, folder), "bench-recorder")
    if given or config.getoption("dist", "no") == "no":
        config.pluginmanager.register(fixtures, "bench-fixtures")
        config.pluginmanager.register(Checks(config, board, folder), "bench-checks")
