"""The commands that show: boards, faults, kernel, doctor, shell, judge."""
from __future__ import annotations

import argparse
import code
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import board as boards
from bench import paths


def list_boards(options: argparse.Namespace) -> int:
    """All boards with their devices."""
    table = Table(header_style="bold", pad_edge=False)
    for name in ("board", "what", "devices", "twin"):
        table.add_column(name)
    for name in boards.names():
        board = boards.load(name)
        devices = ", ".join(f"{d.name} ({d.driver})" for d in board.devices)
        table.add_row(name, board.description, devices, "yes" if board.twin else "")
    Console().print(table)
    return 0


def list_faults(options: argparse.Namespace) -> int:
    """All faults that can be switched on."""
    from bench.faults import describe

    table = Table(header_style="bold", pad_edge=False)
    table.add_column("fault")
    table.add_column("what goes wrong")
    for name, text in describe(boards.load(options.board)).items():
        table.add_row(name, text)
    Console().print(table)
    return 0


def kernel(options: argparse.Namespace) -> int:
    """The kernel under test."""
    from bench import setup

    artefacts = setup.prepare()
    console = Console(highlight=False)
    for name, value in (
        ("version", artefacts.kernel_version), ("configuration", artefacts.config_hash),
        ("image", artefacts.kernel), ("config file", artefacts.config), ("modules", artefacts.modules),
    ):
        console.print(f"{name:14} {value}", soft_wrap=True)
    return 0


def doctor(options: argparse.Namespace) -> int:
    """The prerequisites."""
    from bench.setup import doctor as prerequisites

    findings = prerequisites.examine(paths.HOME)
    print(prerequisites.text(findings))
    return 0 if all(f.present for f in findings) else 3


def shell(options: argparse.Namespace) -> int:
    """A Python prompt with the rig."""
    from bench.rig.rig import Rig, quiet_labgrid

    quiet_labgrid()
    with Rig(options.board) as rig:
        names = [f"rig.{d.exercisers[0]}" for d in rig.board.devices if d.exercisers]
        code.interact(
            banner=f"{rig.board.name}: {rig.board.description}\nrig is ready; try {', '.join(names)}, rig.cable, "
            "rig.console(), dir(rig.kernel), rig.kernel.snapshot().value",
            local={"rig": rig, "cable": rig.cable if rig.cables else None}, exitmsg="",
        )
    return 0


def judge(options: argparse.Namespace) -> int:
    """Judge a record again."""
    from bench import report, store
    from bench import results as judging

    record = store.read(Path(options.record))
    console = Console()
    again = judging.judge(record)
    console.print(report.table(again.record))
    console.print(report.changes(again))
    return judging.exit_code(again.record)


COMMANDS = {
    "boards": list_boards, "faults": list_faults, "kernel": kernel, "doctor": doctor, "shell": shell, "judge": judge,
}
