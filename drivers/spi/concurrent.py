"""Two file descriptors, or two chip selects, in use at the same time."""
from __future__ import annotations

import os
import struct
import time
from typing import TypedDict

from drivers.agent.call import call
from drivers.uapi import spidev


class Share(TypedDict):
    """One process's transfers: how many came back different, and the time of all [s]."""

    bad: float
    seconds: float


class Shares(TypedDict):
    """Both processes."""

    own: Share
    other: Share


@call
def mode_through_two_descriptors(bus: int, device: int, mode: int) -> dict[str, int]:
    """Open the device twice and set `mode` through the first descriptor, then restore it.

    "before": the first one's mode before that; "seen": the second one's mode after that.
    """
    with spidev.opened(bus, device) as first, spidev.opened(bus, device) as second:
        before = spidev.get(first, spidev.RD_MODE32)
        try:
            spidev.put(first, spidev.WR_MODE32, mode)
            return {"before": before, "seen": spidev.get(second, spidev.RD_MODE32)}
        finally:
            spidev.put(first, spidev.WR_MODE32, before)


@call
def concurrent_transfers(
    bus: int,
    device: int,
    other_device: int,
    sizes: dict[str, int],
    count: int,
    speed_hz: int = 0,
    other_bits: int = 0x5A,
) -> Shares:
    """Two processes, each `count` transfers on its own chip select.

    `sizes` are bytes of a transfer: {"own": …, "other": …}. `device` gets counting bytes,
    `other_device` bytes `other_bits`.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.close(reader)
            result = _repeat(
                bus, other_device, bytes([other_bits]) * sizes["other"], count, speed_hz
            )
            os.write(writer, struct.pack("<dd", *result))
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    try:
        own = _repeat(bus, device, bytes(at & 0xFF for at in range(sizes["own"])), count, speed_hz)
        answer = os.read(reader, 16)
    finally:
        os.close(reader)
        _, status = os.waitpid(child, 0)
    if len(answer) != 16:
        raise ChildProcessError(
            f"the process on chip select {other_device} ended with status {status}"
        )
    other = struct.unpack("<dd", answer)
    return {
        "own": {"bad": own[0], "seconds": own[1]},
        "other": {"bad": other[0], "seconds": other[1]},
    }


def _repeat(bus: int, device: int, data: bytes, count: int, speed_hz: int) -> tuple[float, float]:
    with spidev.opened(bus, device) as fd:
        prepared = spidev.Message([{"data": data, "speed_hz": speed_hz}])
        bad, begun = 0, time.monotonic()
        for _ in range(count):
            bad += prepared.run(fd)[0] != data
        return float(bad), time.monotonic() - begun
