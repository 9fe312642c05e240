"""Calls on a spidev device, through the spidev library; what it has no words for goes to the ioctls of uapi.py."""
from __future__ import annotations

import array
import contextlib
import os
import time
from typing import Any, Dict, Iterator, List, Optional

from drivers.agent.call import call
from drivers.spi.concurrent import on_both_at_once, settings_of_two
from drivers.spi.error_paths import bad_request, memory_kept_by_set_up, refusals, unbound_while_open
from drivers.spi.spidev_test import compare_with_c
from drivers.uapi import spidev

__all__ = [
    "bad_request", "bulk", "compare_with_c", "configure", "identity", "interrupts", "lengths", "library",
    "memory_kept_by_set_up", "message", "on_both_at_once", "read", "refusals", "settings", "settings_of_two",
    "transfer", "unbound_while_open", "write",
]


def library_device(bus: int, device: int) -> Any:
    """The device as the library has it: a context manager. Imported here: the host that reads this has no spidev."""
    import spidev  # type: ignore[import-not-found,import-untyped,unused-ignore]

    return spidev.SpiDev(bus, device)


@contextlib.contextmanager
def opened(bus: int, device: int, mode: Optional[int] = None, bits_per_word: Optional[int] = None,
           speed_hz: Optional[int] = None) -> Iterator[Any]:
    """The device, what is given set and at the end again as it was: settings outlive a file descriptor."""
    wanted = {"mode": mode, "bits_per_word": bits_per_word, "max_speed_hz": speed_hz}
    with library_device(bus, device) as spi:
        was = {name: getattr(spi, name) for name, value in wanted.items() if value is not None}
        try:
            for name in was:
                setattr(spi, name, wanted[name])
            yield spi
        finally:
            for name, value in was.items():
                setattr(spi, name, value)


@call
def identity(bus: int, device: int) -> Dict[str, str]:
    """Who drives the device and its controller, by sysfs; "" where there is none."""
    base = "/sys/bus/spi/devices/spi%d.%d" % (bus, device)

    def name(path: str) -> str:
        return os.path.basename(os.path.realpath(path)) if os.path.exists(path) else ""

    def text(path: str) -> str:
        try:
            with open(path) as opened_file:
                return opened_file.read().rstrip("\n\0").replace("\0", ",")
        except FileNotFoundError:
            return ""

    controller = os.path.realpath(os.path.realpath(base) + "/../../..")
    return {
        "driver": name(base + "/driver"), "modalias": text(base + "/modalias"),
        "compatible": text(base + "/of_node/compatible"), "node": spidev.path_of(bus, device),
        "controller_driver": name(controller + "/driver"),
        "controller_compatible": text(controller + "/of_node/compatible"),
        "bufsiz": text("/sys/module/spidev/parameters/bufsiz"),
    }


@call
def interrupts(name: str) -> int:
    """How many interrupts all CPUs have taken for the action `name`, by /proc/interrupts."""
    total = 0
    with open("/proc/interrupts") as table:
        cpus = len(table.readline().split())
        for line in table:
            words = line.split()
            if name in words[cpus + 1:]:
                total += sum(map(int, words[1:cpus + 1]))
    return total


@call
def settings(bus: int, device: int) -> Dict[str, int]:
    """Mode, bits per word, bit order and highest speed, as the ioctls tell them."""
    with library_device(bus, device) as spi:
        return spidev.settings(spi.fileno())


@call
def configure(bus: int, device: int, mode: Optional[int] = None, bits_per_word: Optional[int] = None,
              max_speed_hz: Optional[int] = None, lsb_first: Optional[bool] = None) -> Dict[str, int]:
    """Change what is given, through the library; the settings afterwards. They stay."""
    with library_device(bus, device) as spi:
        if mode is not None:
            spi.mode = mode
        if bits_per_word is not None:
            spi.bits_per_word = bits_per_word
        if max_speed_hz is not None:
            spi.max_speed_hz = max_speed_hz
        if lsb_first is not None:
            spi.lsbfirst = lsb_first
        return spidev.settings(spi.fileno())


@call
def transfer(bus: int, device: int, data: bytes, speed_hz: Optional[int] = None, mode: Optional[int] = None,
             bits_per_word: Optional[int] = None) -> bytes:
    """Clock `data` out in one message and return what came back, as much.

    `mode`, `bits_per_word` and `speed_hz` hold for this message; the device has its own settings again afterwards.
    """
    with opened(bus, device, mode, bits_per_word, speed_hz) as spi:
        return bytes(spi.xfer2(data, speed_hz or 0, 0, bits_per_word or 0))


@call
def library(bus: int, device: int, data: bytes, speed_hz: int = 0) -> Dict[str, bytes]:
    """What each way of the library brings back: xfer, xfer2, xfer3, and writebytes2 then readbytes."""
    with opened(bus, device, speed_hz=speed_hz or None) as spi:
        found = {name: bytes(getattr(spi, name)(data)) for name in ("xfer", "xfer2", "xfer3")}
        spi.writebytes2(data)
        found["readbytes"] = bytes(spi.readbytes(len(data)))
        return found


@call
def write(bus: int, device: int, data: bytes) -> int:
    """write(2): send only; the number of bytes that it returned."""
    fd = os.open(spidev.path_of(bus, device), os.O_RDWR)
    try:
        return os.write(fd, data)
    finally:
        os.close(fd)


@call
def read(bus: int, device: int, length: int) -> bytes:
    """read(2): receive only."""
    fd = os.open(spidev.path_of(bus, device), os.O_RDWR)
    try:
        return os.read(fd, length)
    finally:
        os.close(fd)


@call
def message(bus: int, device: int, transfers: List[Dict[str, Any]], mode: Optional[int] = None,
            settle: bool = False) -> List[Optional[bytes]]:
    """One message of several transfers (see uapi.Message); what each received, None where nothing was asked for.

    `settle`: end with a transfer of no bytes that raises the chip select, should the message have left it low.
    """
    with opened(bus, device, mode) as spi:
        try:
            return spidev.Message(transfers).run(spi.fileno())
        finally:
            if settle:
                spidev.Message([{"data": b"\0", "receive": False}]).run(spi.fileno())


@call
def lengths(bus: int, device: int, sizes: List[int], speed_hz: int = 0, bits_per_word: int = 8,
            seed: int = 1) -> List[Dict[str, Any]]:
    """A transfer of each of these sizes with bytes of its own; where what came back differs, the first difference."""
    wrong: List[Dict[str, Any]] = []
    with opened(bus, device, bits_per_word=bits_per_word, speed_hz=speed_hz or None) as spi:
        for size in sizes:
            data = pattern(size, seed + size)
            back = spidev.Message([{"data": data, "speed_hz": speed_hz}]).run(spi.fileno())[0] or b""
            if back != data:
                at = next((i for i in range(size) if back[i:i + 1] != data[i:i + 1]), len(back))
                wrong.append({"size": size, "at": at, "sent": data[at:at + 4], "got": back[at:at + 4]})
    return wrong


@call
def bulk(bus: int, device: int, size: int, count: int, speed_hz: int = 0) -> Dict[str, float]:
    """`count` transfers of `size` bytes as fast as they go; seconds, and how many came back wrong."""
    data, bad = pattern(size, 1), 0
    with opened(bus, device) as spi:
        fd, one = spi.fileno(), spidev.Message([{"data": data, "speed_hz": speed_hz}])
        begun = time.monotonic()
        for _ in range(count):
            bad += one.run(fd)[0] != data
        return {"seconds": time.monotonic() - begun, "bad": bad}


def pattern(size: int, seed: int) -> bytes:
    """Bytes that differ from their neighbours, from one transfer to the next too."""
    values = array.array("B", bytes(size))
    state = seed * 2654435761 & 0xFFFFFFFF or 1
    for at in range(size):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        values[at] = state & 0xFF
    return values.tobytes()
