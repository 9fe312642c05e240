"""`bench probe`: the board's devices beside what the running kernel shows."""
from __future__ import annotations

import argparse
import json
from typing import Any

from bench.cli import options as common


def add_parser(commands: Any) -> None:
    """Add the command."""
    command = common.add_command(commands, "probe", "compare board.yaml with the devices that the running kernel shows",
                                 "bench probe --board twin210 --json")
    common.add_board(command)
    command.add_argument("--json", action="store_true", help="print JSON instead of a tree")
    common.add_faults(command, " before the board boots")


def run(options: argparse.Namespace) -> int:
    """Boot, compare, show; 0 when every device has its driver, else 1."""
    from rich.console import Console

    from bench import faults, report
    from bench import probe as probing
    from bench.rig.rig import Rig, quiet_labgrid

    quiet_labgrid()
    console = Console(stderr=options.json)
    rig = Rig(options.board)
    try:
        with console.status("booting the board"), faults.switched_on(rig, *options.fault):
            rig.start()
            found = probing.probe(rig)
        if options.json:
            head = {"board": rig.board.name, "kernel": rig.identity.get("release")}
            print(json.dumps({**head, **found.as_dict()}, indent=2))
        else:
            console.print(report.devices(rig.board.name, str(rig.identity.get("release", "")), found))
    finally:
        rig.close()
    return 1 if found.wrong else 0
