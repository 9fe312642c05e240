"""Which of the collected tests are checks, which of them this board can run, and in what order."""
from __future__ import annotations

import pytest

from bench.board import Board
from bench.plugin import parametrize
from bench.rig.exerciser import exercisers, needs_device

SECONDS_OF_STAND_IN = 60.0  # estimate for the checks that it expands to on a board that was never listed


class Selection:
    """Deselects what the board has no device for, and the slow checks of a quick run; sorts the longest first."""

    def __init__(self, board: Board, quick: bool) -> None:
        self.board, self.quick = board, quick

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        unwanted = [item for item in items if not has_devices(item, self.board)
                    or (self.quick and item.get_closest_marker("slow"))]
        config.hook.pytest_deselected(items=unwanted)
        items[:] = [item for item in items if item not in unwanted]
        items.sort(key=_seconds, reverse=True)  # the longest first, for an even distribution


def is_check(item: pytest.Item) -> bool:
    """A check is a test that asks for an exerciser."""
    return bool(exercisers_of(item))


def exercisers_of(item: pytest.Item) -> list[str]:
    """The names of the exercisers that a check asks for."""
    return [name for name in exercisers() if name in getattr(item, "fixturenames", ())]


def devices_of(item: pytest.Item, board: Board) -> list[str]:
    """The devices that a check is about."""
    chosen = getattr(getattr(item, "callspec", None), "params", {})
    having = {name: board.with_exerciser(name) for name in exercisers_of(item)}
    return [str(chosen.get(name, devices[0].name)) for name, devices in having.items() if devices]


def has_devices(item: pytest.Item, board: Board) -> bool:
    """Whether the board has a device for every exerciser that the check asks for."""
    return all(board.with_exerciser(name) or not needs_device(name) for name in exercisers_of(item))


def _seconds(item: pytest.Item) -> float:
    """About how long a check takes on the twin, as its `slow` marker says; 0 for a quick one."""
    if parametrize.is_stand_in(item):
        return SECONDS_OF_STAND_IN
    slow = item.get_closest_marker("slow")
    return float(slow.args[0]) if slow and slow.args else float(slow is not None)
