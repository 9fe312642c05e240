"""Switch on a fault by name: `chip:fault`, `chip.window:fault`, `cable:fault`, `seeded_bug:name`; off at the end."""
from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from bench.board import Board
from bench.errors import UsageError
from fixtures import chips
from fixtures.cable import CableFaults
from fixtures.fault import Faults, UnknownFault
from fixtures.window import WindowChip, WindowFaults

if TYPE_CHECKING:  # `bench faults` describes them without a board: no labgrid then
    from bench.rig import Rig


def describe(board: Board) -> dict[str, str]:
    """Every fault of the board's chips and cables: name → description."""
    models = {d.chip: chips.find(d.chip) for d in board.devices if d.chip}
    kinds: dict[str, type[Faults]] = {name: model.faults_type for name, model in models.items()}
    kinds.update({f"{name}.window": WindowFaults for name, model in models.items() if issubclass(model, WindowChip)})
    kinds.update(dict.fromkeys(board.cables, CableFaults))
    return {f"{where}:{name}": fault.doc
            for where, kind in kinds.items() for name, fault in sorted(kind.declared.items())}


def validate(board: Board, names: Iterable[str]) -> None:
    """Raise UsageError for a name that is no fault of `board`, before anything starts."""
    known = describe(board)
    for name in names:
        if name not in known and not name.startswith("seeded_bug:"):
            raise UsageError.unknown("fault", name, known)


@contextlib.contextmanager
def switched_on(rig: Rig, *names: str, driver: str = "") -> Iterator[None]:
    """Switch the named faults on inside a `with` block.  Raises UsageError for an unknown one.

    A seeded bug shows in `driver`, when that is given.
    """
    with contextlib.ExitStack() as stack:
        for name in names:
            stack.enter_context(_switch_on(rig, name, driver))
        yield


def _switch_on(rig: Rig, name: str, driver: str) -> Any:
    where, _, fault = name.partition(":")
    if where == "seeded_bug":
        return _seeded_bug(rig, fault, driver)
    faults, fault = place(rig, name)
    return faults.switched_on(fault)


def _places(rig: Rig) -> dict[str, Faults]:
    models = list(rig.access.chips.values())[::-1]
    windows = {f"{c.name}.window": c.window for c in models if isinstance(c, WindowChip)}
    return {**{c.name: c.faults for c in models}, **windows, **{name: c.faults for name, c in rig.cables.items()}}


def place(rig: Rig, name: str) -> tuple[Faults, str]:
    """The Faults and the fault's name for `name` (place:fault).  Raises UsageError for an unknown one."""
    where, _, fault = name.partition(":")
    places = _places(rig)
    if where not in places:
        raise UsageError.unknown("fault's place", where, [*places, "seeded_bug"])
    try:
        return places[where], places[where]._find(fault).name
    except UnknownFault as e:
        raise UsageError(str(e)) from e


@contextlib.contextmanager
def _seeded_bug(rig: Rig, bug: str, driver: str) -> Iterator[None]:
    """A bug in kernel code, from the module fixtures/modules/seeded_bug."""
    _ = rig.exerciser("kernel").seed_bug(bug=bug, driver=driver).value
    try:
        yield
    finally:
        _ = rig.exerciser("kernel").remove_seeded_bug().value
