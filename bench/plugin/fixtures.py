"""Fixtures of the checks: each exerciser, each chip as `<chip>_chip`, cable, measure, keep_file, inconclusive, …"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from bench.board import Board
from bench.errors import Inconclusive, UsageError
from bench.plugin import parametrize
from bench.plugin.checks import Checks
from bench.plugin.running_check import RunningCheck
from bench.plugin.selection import devices_of
from bench.plugin.sweep import Sweep
from bench.rig import Rig
from bench.rig.call import Answer
from bench.rig.exerciser import Exerciser, exercisers
from fixtures import chips
from fixtures.cable import Cable
from fixtures.chip import Chip


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Rig:
    """The rig itself, with its agent ready."""
    plugin: Checks = request.config.pluginmanager.get_plugin("bench-checks")  # type: ignore[assignment]
    return plugin.rig


@pytest.fixture
def device(request: pytest.FixtureRequest, rig: Rig) -> dict[str, Any]:
    """The device that a check of `each_device` is about, as drivers.lifecycle's `devices` describes it."""
    plugin: Checks = request.config.pluginmanager.get_plugin("bench-checks")  # type: ignore[assignment]
    return plugin.devices.read(rig)[request.param]


@pytest.fixture
def board(rig: Rig) -> Board:
    """The board's data."""
    return rig.board


@pytest.fixture
def cable(rig: Rig, request: pytest.FixtureRequest) -> Iterator[Cable]:
    """The far end of the Ethernet cable of the check's device, or of the board's first; restored afterwards."""
    if not rig.cables:
        raise Inconclusive("the far end of the cable cannot be observed on this rig")
    devices = devices_of(request.node, rig.board)
    names = [name for name, device in rig.board.cables.items() if device in devices and name in rig.cables]
    chosen = rig.cables[names[0]] if names else rig.cable
    yield chosen
    chosen.restore()


@pytest.fixture
def measure(request: pytest.FixtureRequest) -> Callable[..., float]:
    """Write a measured value down: measure(name, value, unit, limit=None, at_least=None); past a limit it fails."""
    plugin: Checks = request.config.pluginmanager.get_plugin("bench-checks")  # type: ignore[assignment]

    def write_down(
        name: str, value: float, unit: str = "", limit: float | None = None, at_least: float | None = None
    ) -> float:
        current: RunningCheck = plugin.current
        return current.measure(name, value, unit, limit, at_least)

    return write_down


@pytest.fixture
def keep_file(request: pytest.FixtureRequest) -> Callable[[str, bytes], None]:
    """Keep a file with the check's record: keep_file(name, data); the report shows it when its name ends in .png."""
    plugin: Checks = request.config.pluginmanager.get_plugin("bench-checks")  # type: ignore[assignment]

    def keep(name: str, data: bytes) -> None:
        if "/" in name or not name:
            raise UsageError(f"keep_file: {name!r} is not a plain file name")
        plugin.current.kept[name] = data

    return keep


@pytest.fixture
def inconclusive() -> Callable[[str], NoReturn]:
    """End a check that cannot know: inconclusive("why")."""

    def end(why: str) -> NoReturn:
        raise Inconclusive(why)

    return end


@pytest.fixture
def sweep(rig: Rig, request: pytest.FixtureRequest) -> Callable[..., Sweep]:
    """Fire a fault at its n-th chance, for n = 1, 2, 3 …; see bench.plugin.sweep."""
    if not rig.chips:
        raise Inconclusive("no fault can be injected into the chips of this rig")
    plugin: Checks = request.config.pluginmanager.get_plugin("bench-checks")  # type: ignore[assignment]

    def run(fault: str, once: Callable[[], Answer], **options: Any) -> Sweep:
        return Sweep.run(rig, plugin.current, fault, once, **options)

    return run


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A check that could not begin is not set up."""
    plugin: Checks = item.config.pluginmanager.get_plugin("bench-checks")  # type: ignore[assignment]
    plugin.admit()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A check of an exerciser runs once for each device that has it; in a proof, once for each fault."""
    plugin: Checks = metafunc.config.pluginmanager.get_plugin("bench-checks")  # type: ignore[assignment]
    for name in exercisers():
        devices = [d.name for d in plugin.board.with_exerciser(name)]
        if name in metafunc.fixturenames and len(devices) > 1:
            metafunc.parametrize(name, devices, indirect=True)
    parametrize.expand(metafunc, plugin.devices, plugin.proving)
    times = metafunc.config.getoption("--times")
    if times > 1:
        metafunc.fixturenames.append("turn")
        metafunc.parametrize("turn", range(times))
    if plugin.proving and any(n in metafunc.fixturenames for n in exercisers()):
        marks = metafunc.definition.iter_markers("fault")
        faults = [fault for mark in marks for fault in mark.args]
        if metafunc.config.getoption("--quick"):
            faults = faults[:1]
        metafunc.fixturenames.append("proven_fault")
        metafunc.parametrize("proven_fault", faults or [""], ids=faults or ["no fault named"])


def _exerciser_fixture(name: str) -> Callable[..., Any]:
    @pytest.fixture(name=name)
    def exerciser(rig: Rig, request: pytest.FixtureRequest) -> Exerciser:
        return rig.exerciser(name, getattr(request, "param", None))

    return exerciser


def _chip_fixture(name: str) -> Callable[..., Any]:
    @pytest.fixture(name=f"{name}_chip")
    def chip(rig: Rig) -> Iterator[Chip]:
        if not rig.chips:
            raise Inconclusive(f"chip {name} is real hardware here: what it saw cannot be observed")
        if name not in rig.chips:
            pytest.skip(f"board {rig.board.name} has no chip {name}")
        yield rig.chip(name)

    return chip


for _name in exercisers():
    globals()[_name] = _exerciser_fixture(_name)
for _name in chips.names():
    globals()[f"{_name}_chip"] = _chip_fixture(_name)
