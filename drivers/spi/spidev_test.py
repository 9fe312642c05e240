"""The kernel tree's own spidev_test beside our way, on one target in one call.   Ref: tools/spi/spidev_test.c"""
from __future__ import annotations

import os
import subprocess
import tempfile
import time
from typing import Dict

from drivers.agent.call import call
from drivers.uapi import spidev


@call
def compare_with_c(bus: int, device: int, size: int, count: int, speed_hz: int, tool: str = "spidev_test",
                   rounds: int = 12, enough: float = 0.9) -> Dict[str, float]:
    """Seconds for `count` transfers of `size` bytes with the C program and with us, in turns; the best of all rounds.

    What else the machine does only makes a round slower, so more rounds come nearer to the truth of both: three at
    least, up to `rounds` while our share of the C program's speed is below `enough`.
    The C program runs its own loop (-I iterations of -S bytes); its start is taken off by a run of one transfer.
    FileNotFoundError where the target has no such program.
    """
    ours = theirs = start = float("inf")
    for done in range(rounds):
        start = min(start, _c(tool, bus, device, size, 1, speed_hz))
        theirs = min(theirs, _c(tool, bus, device, size, count + 1, speed_hz))
        ours = min(ours, _python(bus, device, size, count, speed_hz))
        if done >= 2 and theirs - start >= enough * ours:
            break
    return {"c_seconds": theirs - start, "seconds": ours}


def _c(tool: str, bus: int, device: int, size: int, count: int, speed_hz: int) -> float:
    command = [tool, "-D", spidev.path_of(bus, device), "-s", str(speed_hz), "-S", str(size), "-I", str(count)]
    with tempfile.TemporaryFile() as said:
        begun = time.monotonic()
        done = subprocess.run(command, stdout=said, stderr=subprocess.STDOUT, timeout=60, check=False)
        seconds = time.monotonic() - begun
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    if done.returncode:
        raise ChildProcessError("%s ended with status %d: %s" % (" ".join(command), done.returncode, text[-400:]))
    return seconds


def _python(bus: int, device: int, size: int, count: int, speed_hz: int) -> float:
    fd = os.open(spidev.path_of(bus, device), os.O_RDWR)
    try:
        one = spidev.Message([{"data": bytes(at & 0xFF for at in range(size)), "speed_hz": speed_hz}])
        begun = time.monotonic()
        for _ in range(count):
            one.run(fd)
        return time.monotonic() - begun
    finally:
        os.close(fd)
