"""Calls that use two file descriptors, or two chip selects, at the same time."""
from __future__ import annotations

import os
import struct
import time
from typing import Dict, Tuple

from drivers.agent.call import call
from drivers.uapi import spidev


@call
def settings_of_two(bus: int, device: int, mode: int) -> Dict[str, int]:
    """Open the device twice, set `mode` through one; the mode that the other sees, and what the first saw before."""
    first = os.open(spidev.path_of(bus, device), os.O_RDWR)
    second = os.open(spidev.path_of(bus, device), os.O_RDWR)
    try:
        before = spidev.get(first, spidev.RD_MODE32)
        try:
            spidev.put(first, spidev.WR_MODE32, mode)
            return {"before": before, "seen": spidev.get(second, spidev.RD_MODE32)}
        finally:
            spidev.put(first, spidev.WR_MODE32, before)
    finally:
        os.close(first)
        os.close(second)


@call
def on_both_at_once(bus: int, device: int, other_device: int, sizes: Dict[str, int], count: int, speed_hz: int = 0,
                    other_bits: int = 0x5A) -> Dict[str, Dict[str, float]]:
    """Two processes, each `count` transfers on its own chip select; transfers that came back wrong, and seconds.

    `sizes` are the bytes of a transfer: {"own": …, "other": …}. The one sends counting bytes, the other `other_bits`.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.close(reader)
            result = _repeat(bus, other_device, bytes([other_bits]) * sizes["other"], count, speed_hz)
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
        raise ChildProcessError("the other process ended with status %d" % status)
    other = struct.unpack("<dd", answer)
    return {"own": {"bad": own[0], "seconds": own[1]}, "other": {"bad": other[0], "seconds": other[1]}}


def _repeat(bus: int, device: int, data: bytes, count: int, speed_hz: int) -> Tuple[float, float]:
    fd = os.open(spidev.path_of(bus, device), os.O_RDWR)
    try:
        one = spidev.Message([{"data": data, "speed_hz": speed_hz}])
        bad, begun = 0, time.monotonic()
        for _ in range(count):
            bad += one.run(fd)[0] != data
        return float(bad), time.monotonic() - begun
    finally:
        os.close(fd)
