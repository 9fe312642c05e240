"""Switch a named fault on: `<chip>:<fault>`, `cable:<fault>`, `plant:<bug>`; off again at the end."""
from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from bench.board import Board
from bench.errors import UsageError
from bench.rig import Rig
from fixtures import chips
from fixtures.cable import CableFaults
from fixtures.fault import Faults, UnknownFault


def describe(board: Board) -> dict[str, str]:
    """Every fault of the board's chips and of the cable: its name → what goes wrong."""
    kinds: dict[str, type[Faults]] = {d.chip: chips.find(d.chip).faults_type for d in board.devices if d.chip}
    return {
        f"{where}:{name}": fault.doc
        for where, kind in (kinds | {"cable": CableFaults}).items() for name, fault in sorted(kind.declared.items())
    }


def validate(board: Board, names: Iterable[str]) -> None:
    """Raise UsageError for a name that is no fault of `board`, before anything starts."""
    known = describe(board)
    for name in names:
        if name not in known and not name.startswith("plant:"):
            raise UsageError.unknown("fault", name, known)


@contextlib.contextmanager
def switched_on(rig: Rig, *names: str) -> Iterator[None]:
    """Switch the named faults on for the length of a with statement.  Raises UsageError for an unknown one."""
    with contextlib.ExitStack() as stack:
        for name in names:
            stack.enter_context(_one(rig, name))
        yield


def _one(rig: Rig, name: str) -> Any:
    where, _, fault = name.partition(":")
    if where == "plant":
        return _planted(rig, fault)
    places = _places(rig)
    if where not in places:
        raise UsageError.unknown("fault's place", where, [*places, "plant"])
    try:
        places[where]._find(fault)
    except UnknownFault as e:
        raise UsageError(str(e)) from e
    return places[where].switched_on(fault)


def _places(rig: Rig) -> dict[str, Faults]:
    if rig.twin is None:
        return {}
    return {**{c.name: c.faults for c in reversed(rig.twin.chips.values())}, "cable": rig.cable.faults}


@contextlib.contextmanager
def _planted(rig: Rig, bug: str) -> Iterator[None]:
    """A bug in the kernel itself, from the module fixtures/modules/plant."""
    _ = rig.exerciser("kernel").plant(bug=bug).value
    try:
        yield
    finally:
        _ = rig.exerciser("kernel").unplant().value
