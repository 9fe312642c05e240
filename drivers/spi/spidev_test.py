"""The kernel tree's own spidev_test beside our calls, on one target in one call.

Ref: tools/spi/spidev_test.c
"""
from __future__ import annotations

import subprocess
import tempfile
import time
from typing import TypedDict

from drivers.agent.call import call
from drivers.uapi import spidev


class Comparison(TypedDict):
    """The fastest round of each [s]."""

    c_seconds: float
    seconds: float


@call
def compare_with_spidev_test(
    bus: int,
    device: int,
    size: int,
    count: int,
    speed_hz: int,
    tool: str = "spidev_test",
    rounds: int = 12,
    enough: float = 0.9,
) -> Comparison:
    """Time `count` transfers of `size` bytes by the C program and by Python, in turns.

    The fastest round of each.

    Other load can only slow a round down, so more rounds come closer to the true minimum: at least
    three, up to `rounds` while Python reaches less than `enough` of the C program's speed. The C
    program runs its own loop (-I iterations of -S bytes); its start-up time, that of a run with one
    transfer, is subtracted.  FileNotFoundError when the target has no such program.
    """
    python = c = startup = float("inf")
    for done in range(rounds):
        startup = min(startup, _c(tool, bus, device, size, 1, speed_hz))
        c = min(c, _c(tool, bus, device, size, count + 1, speed_hz))
        python = min(python, _python(bus, device, size, count, speed_hz))
        if done >= 2 and c - startup >= enough * python:
            break
    return {"c_seconds": c - startup, "seconds": python}


def _c(tool: str, bus: int, device: int, size: int, count: int, speed_hz: int) -> float:
    command = [
        tool,
        "-D",
        spidev.path_of(bus, device),
        "-s",
        str(speed_hz),
        "-S",
        str(size),
        "-I",
        str(count),
    ]
    with tempfile.TemporaryFile() as output:
        begun = time.monotonic()
        done = subprocess.run(
            command, stdout=output, stderr=subprocess.STDOUT, timeout=60, check=False
        )
        seconds = time.monotonic() - begun
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    if done.returncode:
        raise ChildProcessError(
            f"{' '.join(command)} ended with status {done.returncode}: {text[-400:]}"
        )
    return seconds


def _python(bus: int, device: int, size: int, count: int, speed_hz: int) -> float:
    with spidev.opened(bus, device) as fd:
        data = bytes(at & 0xFF for at in range(size))
        prepared = spidev.Message([{"data": data, "speed_hz": speed_hz}])
        begun = time.monotonic()
        for _ in range(count):
            prepared.run(fd)
        return time.monotonic() - begun
