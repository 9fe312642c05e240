"""`bench accept`, `run`, `prove`, `lifecycle`, `sweep`: pytest underneath, our own face on top."""
from __future__ import annotations

import argparse
import difflib
import os
import time
from pathlib import Path

import pytest
from rich.console import Console

from bench import board as boards
from bench import faults, paths, report, results, setup, store
from bench.cli.live import Live
from bench.cli.proof import Proof
from bench.errors import UsageError
from bench.plugin import device_list
from bench.plugin.device_list import DeviceList
from bench.rig.exerciser import exercisers
from bench.rig.rig import Rig, quiet_labgrid
from bench.verdict import Outcome
from fixtures import chips


class Selection:
    """What pytest collected: asked for the nearest name when nothing matched."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        self.names.append(item.name.removeprefix("test_").split("[")[0])


def run(options: argparse.Namespace) -> int:
    """Run the checks, show them live, write the record's reports, and return the exit code."""
    board = boards.load(options.board, frozenset(exercisers()), frozenset(chips.names()))
    results.board_contracts.load(board.folder)  # mistakes in both are reported before anything starts
    boards.of_drivers()
    faults.validate(board, getattr(options, "fault", []))
    if getattr(options, "exerciser", None) and options.exerciser not in exercisers():
        raise UsageError.unknown("exerciser", options.exerciser, exercisers())
    console = Console()
    folder = Path(options.record or Path("records") / f"{time.strftime('%Y%m%d-%H%M%S')}-{board.name}")
    proving = options.command == "prove"
    live = Live(console, proving, skips=options.command != "lifecycle")
    show = {"lifecycle": report.matrix, "sweep": report.rows}.get(options.command, report.table)
    arguments = _arguments(options, folder)
    number = jobs(options, board)
    if number > 1:
        setup.prepare()  # once and shown, not by each worker
    if options.command == "lifecycle" and options.expression and device_list.load(board) is None:
        _list_devices(options.board)  # -k goes by their names
    # One check at a time: they last too long to be dealt out by the handful.
    shared = ["--numprocesses", str(number), "--dist", "load", "--maxschedchunk", "1"] if number > 1 else []
    status = pytest.main([*arguments, *shared], plugins=[live])
    live.close()
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        selection = Selection()
        pytest.main([*arguments, "--collect-only"], plugins=[selection])
        raise _nothing_matched(options.expression, selection.names)
    if live.error or status in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
        console.print(live.error or "the checks could not be collected", markup=False, style="red")
        return 3
    record = store.read(folder)
    if proving:
        return Proof(record).show(console)
    files = report.write(record)
    console.print(show(record))
    if getattr(options, "coverage", False):
        console.print(report.covered(record, every=options.command == "coverage"))
    console.print(f"report  {files.html}\nrecord  {record.folder}", highlight=False, soft_wrap=True)
    if status == pytest.ExitCode.INTERRUPTED:
        return 3
    return results.exit_code(record)


def jobs(options: argparse.Namespace, board: boards.Board) -> int:
    """How many rigs share the checks: a real board is one; of twins as many as processors.

    A whole acceptance has twice as many: its slow checks mostly wait.
    """
    if not board.replicable:
        return 1
    whole = options.command == "accept" and not options.quick
    return int(options.jobs or len(os.sched_getaffinity(0)) * (1 + whole))


def _arguments(options: argparse.Namespace, folder: Path) -> list[str]:
    roots = paths.roots()
    folder_of_checks = getattr(options, "exerciser", None) or ("lifecycle" if options.command == "lifecycle" else "")
    arguments = [
        *(str(path) for root in roots if (path := root / "drivers" / folder_of_checks).is_dir()),
        f"--rootdir={os.path.commonpath(roots)}", "--import-mode=importlib",
        "-p", "no:labgrid", "-p", "no:terminal", "-p", "no:cacheprovider",
        "--board", options.board, "--record", str(folder), "-k", options.expression,
    ]
    for fault in getattr(options, "fault", []):
        arguments += ["--fault", fault]
    if getattr(options, "coverage", False):
        arguments.append("--coverage")
    if options.command == "accept" or (options.command == "run" and not options.expression):
        arguments += ["-m", "not lifecycle and not sweep"]
    if options.command == "sweep":
        arguments += ["-m", "sweep"]
    if getattr(options, "quick", False):
        arguments.append("--quick")
    if options.command == "prove":
        arguments.append("--prove")
    if getattr(options, "times", 1) > 1:
        arguments += ["--times", str(options.times)]
    return arguments


def _list_devices(board: str) -> None:
    """Boot the board once to read which devices it has."""
    quiet_labgrid()
    with Rig(board) as rig:
        DeviceList(None).read(rig)


def _nothing_matched(expression: str, names: list[str]) -> UsageError:
    near = difflib.get_close_matches(expression.replace(" ", "_"), names, n=1, cutoff=0.2)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return UsageError(f"no check matches -k {expression!r}{hint}")


__all__ = ["Outcome", "run"]
