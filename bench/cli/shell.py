"""`bench shell`: a Python prompt with the rig."""
from __future__ import annotations

import argparse
from typing import Any

from bench.cli import options as common


def add_parser(commands: Any) -> None:
    """Add the command."""
    command = common.add_command(commands, "shell", "start a Python prompt with the rig, for bring-up",
                                 "bench shell --board twin210")
    common.add_board(command)


def run(options: argparse.Namespace) -> int:
    """Boot the board and start the prompt."""
    import code

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
