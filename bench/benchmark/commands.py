"""How long `bench trace show` takes as a whole process, beside `import numpy` and beside trace-cmd."""
from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from bench.errors import Broken
from bench.paths import HOME

SMALL = HOME / "docs/traces/spi_pairing.dat"
TURNS = 5
NUMPY = [sys.executable, "-c", "import numpy"]
SHOW = [sys.executable, "-m", "bench", "trace", "show"]


def figures(large: Path, trace_cmd: str | None) -> list[tuple[str, str, str]]:
    """(what, figure, beside what): showing the small recording of docs/, and the summary of a `large` one."""
    commands = {"numpy": NUMPY, "small": [*SHOW, str(SMALL)], "summary": [*SHOW, "--summary", str(large)]}
    if trace_cmd:
        commands["report"] = [trace_cmd, "report", "-t", str(large)]
    took: dict[str, float] = {}
    for _ in range(TURNS):  # alternating, so that other load on the machine affects all alike
        for name, command in commands.items():
            took[name] = min(seconds(command), took.get(name, 1e9))
    beside = f"trace-cmd report takes {took['report'] / took['summary']:.3g} times as long" if trace_cmd else (
        "trace-cmd report: apt-get install trace-cmd")
    return [
        ("bench trace show of 160 events, whole process", f"{took['small']:.2f} s",
         f"{took['small'] / took['numpy']:.2g} times `python -c 'import numpy'`; aim: at most 3"),
        ("bench trace show --summary, whole process", f"{took['summary']:.2f} s", f"{beside}; aim: at least 10")]


def seconds(command: list[str]) -> float:
    """How long a command takes from its start to its end; raises Broken with its standard error when it fails."""
    began = time.perf_counter()
    with open(os.devnull, "w") as nowhere:
        done = subprocess.run(command, stdout=nowhere, stderr=subprocess.PIPE, text=True, errors="backslashreplace")
    if done.returncode:
        raise Broken(f"{command[0]} failed: {done.stderr.strip()[-400:]}")
    return time.perf_counter() - began
