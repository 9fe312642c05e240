"""`bench probe`: the board's devices beside what the running kernel shows."""
from __future__ import annotations

import argparse
import json

from rich.console import Console

from bench import faults, report
from bench import probe as probing
from bench.rig.rig import Rig, quiet_labgrid


def run(options: argparse.Namespace) -> int:
    """Boot, ask, show; 0 when every device has its driver, else 1."""
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
