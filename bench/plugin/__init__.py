"""The pytest plugin: checks in drivers/ run on a board's rig, each judged, its evidence kept.

    pytest --board twin210 drivers/
    pytest --board twin210 drivers/net -k carrier --fault cable:link_stuck_down --record out/
"""
from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("bench", "driver test bench")
    group.addoption("--board", metavar="NAME", help="board to run the checks on (see `bench boards`)")
    group.addoption("--fault", action="append", default=[], metavar="WHERE:NAME", help="switch a fault on, e.g. "
                    "dm9000:swallow_tx_completion; may be given several times")
    group.addoption("--record", metavar="DIR", help="folder for the record (default: records/<time>-<board>)")
    group.addoption("--quick", action="store_true", help="leave out the checks marked slow; in a "
                    "proof: try the first fault of each check only")
    group.addoption("--prove", action="store_true", help="run each check once for each fault that it names")
    group.addoption("--coverage", action="store_true", help="note which functions of the drivers are entered")
    group.addoption("--times", type=int, default=1, metavar="N", help="run each check N times in a row")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(*names): the faults that must trip this check")
    config.addinivalue_line("markers", "slow(seconds): not in a quick acceptance; about how long it takes on the twin")
    config.addinivalue_line("markers", "lifecycle: only in `bench lifecycle`, and where it is asked for by name")
    config.addinivalue_line("markers", "each_device(action): run once for each device of the board that has a driver, "
                            "skipped where `action` cannot be done to it")
    config.addinivalue_line("markers", "sweep: only in `bench sweep`, and where it is asked for by name")
    config.addinivalue_line("markers", "driver(*names): kernel drivers that this check binds to its device itself")
    config.addinivalue_line("markers", "expects(splat): a kernel-log pattern that this check declares")
    if config.getoption("--board"):
        # Loaded only now: a pytest run without a board pays nothing for this plugin.
        from bench import paths

        paths.extend()
        from bench.plugin.configure import configure

        configure(config)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from bench.plugin import hooks

    pluginmanager.add_hookspecs(hooks)
