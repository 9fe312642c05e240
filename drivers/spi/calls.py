"""Calls on a spidev device, through the spidev library.

What it does not offer goes to the ioctls of uapi/spidev.py.
"""
from __future__ import annotations

import array
import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any, TypedDict

from drivers.agent.call import call
from drivers.spi.concurrent import concurrent_transfers, mode_through_two_descriptors
from drivers.spi.error_paths import message_errnos, raw_ioctl, setup_leak_bytes, unbind_while_open
from drivers.spi.spidev_test import compare_with_spidev_test
from drivers.uapi import interrupts as proc_interrupts
from drivers.uapi import spidev, sysfs
from drivers.uapi.spidev import Settings, Transfer

__all__ = [
    "bulk", "compare_with_spidev_test", "concurrent_transfers", "configure", "identity",
    "interrupts", "lengths", "message", "message_errnos", "mode_through_two_descriptors",
    "raw_ioctl", "read", "settings", "setup_leak_bytes", "transfer", "unbind_while_open", "write",
    "xfer_variants",
]  # fmt: skip

DEVICES = f"{sysfs.BUSES}/spi/devices"


class Identity(TypedDict):
    """The drivers of the device and its controller, by sysfs; "" for what is not there."""

    driver: str
    modalias: str
    compatible: str
    node: str
    controller: str
    controller_driver: str
    controller_compatible: str
    bufsiz: str


class Mismatch(TypedDict):
    """A transfer that came back different: its size, the first differing offset, up to 4 bytes each
    way.
    """

    size: int
    at: int
    sent: bytes
    received: bytes


class Bulk(TypedDict):
    """The time of all transfers [s], and how many came back different."""

    seconds: float
    bad: int


def library_device(bus: int, device: int) -> Any:
    """A spidev.SpiDev, which is a context manager.

    Imported here: the host has no spidev library.
    """
    import spidev  # type: ignore[import-not-found,import-untyped,unused-ignore]

    return spidev.SpiDev(bus, device)


@contextlib.contextmanager
def opened(
    bus: int,
    device: int,
    mode: int | None = None,
    bits_per_word: int | None = None,
    speed_hz: int | None = None,
) -> Iterator[Any]:
    """The device with these settings, restored at the end: settings outlive a file descriptor."""
    wanted = {"mode": mode, "bits_per_word": bits_per_word, "max_speed_hz": speed_hz}
    with library_device(bus, device) as spi:
        before = {name: getattr(spi, name) for name, value in wanted.items() if value is not None}
        try:
            for name in before:
                setattr(spi, name, wanted[name])
            yield spi
        finally:
            for name, value in before.items():
                setattr(spi, name, value)


@call
def identity(bus: int, device: int) -> Identity:
    """Which driver the device and its controller are bound to."""
    base = f"{DEVICES}/spi{bus}.{device}"

    def text(path: str) -> str:
        return sysfs.read(path, sysfs.ABSENT).replace("\0", ",")

    controller = os.path.realpath(os.path.realpath(base) + "/../../..")
    return {
        "driver": sysfs.driver_of(base),
        "modalias": text(f"{base}/modalias"),
        "compatible": text(f"{base}/of_node/compatible"),
        "node": spidev.path_of(bus, device),
        "controller": os.path.basename(controller),
        "controller_driver": sysfs.driver_of(controller),
        "controller_compatible": text(f"{controller}/of_node/compatible"),
        "bufsiz": text("/sys/module/spidev/parameters/bufsiz"),
    }


@call
def interrupts(name: str) -> int:
    """How many interrupts all CPUs have taken for the handler `name`, by /proc/interrupts."""
    return sum(
        line["count"] for line in proc_interrupts.interrupts().values() if name in line["names"]
    )


@call
def settings(bus: int, device: int) -> Settings:
    """Mode, bits per word, bit order and maximum speed, by the RD ioctls."""
    with library_device(bus, device) as spi:
        return spidev.settings(spi.fileno())


@call
def configure(
    bus: int,
    device: int,
    mode: int | None = None,
    bits_per_word: int | None = None,
    max_speed_hz: int | None = None,
    lsb_first: bool | None = None,
) -> Settings:
    """Change the given settings through the library, for good; the settings afterwards."""
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
def transfer(
    bus: int,
    device: int,
    data: bytes,
    speed_hz: int | None = None,
    mode: int | None = None,
    bits_per_word: int | None = None,
) -> bytes:
    """Clock `data` out in one message and return what came back, same length.

    `mode`, `bits_per_word` and `speed_hz` hold for this message only.
    """
    with opened(bus, device, mode, bits_per_word, speed_hz) as spi:
        return bytes(spi.xfer2(data, speed_hz or 0, 0, bits_per_word or 0))


@call
def xfer_variants(bus: int, device: int, data: bytes, speed_hz: int = 0) -> dict[str, bytes]:
    """What the library returns from xfer, xfer2, xfer3, and from readbytes after writebytes2."""
    with opened(bus, device, speed_hz=speed_hz or None) as spi:
        received = {name: bytes(getattr(spi, name)(data)) for name in ("xfer", "xfer2", "xfer3")}
        spi.writebytes2(data)
        received["readbytes"] = bytes(spi.readbytes(len(data)))
        return received


@call
def write(bus: int, device: int, data: bytes) -> int:
    """write(2): send only; the number of bytes that it returned."""
    with spidev.opened(bus, device) as fd:
        return os.write(fd, data)


@call
def read(bus: int, device: int, length: int) -> bytes:
    """read(2): receive only."""
    with spidev.opened(bus, device) as fd:
        return os.read(fd, length)


@call
def message(
    bus: int, device: int, transfers: list[Transfer], mode: int | None = None, settle: bool = False
) -> list[bytes | None]:
    """One message of several transfers; what each received, None where nothing is received.

    `settle`: end with a message that deasserts the chip select, in case cs_change left it asserted.
    """
    with opened(bus, device, mode) as spi:
        try:
            return spidev.Message(transfers).run(spi.fileno())
        finally:
            if settle:
                spidev.Message([{"data": b"\0", "receive": False}]).run(spi.fileno())


@call
def lengths(
    bus: int,
    device: int,
    sizes: list[int],
    speed_hz: int = 0,
    bits_per_word: int = 8,
    seed: int = 1,
) -> list[Mismatch]:
    """A transfer of each size, with a pattern of its own; those that came back different."""
    mismatches: list[Mismatch] = []
    with opened(bus, device, bits_per_word=bits_per_word, speed_hz=speed_hz or None) as spi:
        for size in sizes:
            data = pattern(size, seed + size)
            back = (
                spidev.Message([{"data": data, "speed_hz": speed_hz}]).run(spi.fileno())[0] or b""
            )
            if back != data:
                at = next((i for i in range(size) if back[i : i + 1] != data[i : i + 1]), len(back))
                mismatches.append(
                    {
                        "size": size,
                        "at": at,
                        "sent": data[at : at + 4],
                        "received": back[at : at + 4],
                    }
                )
    return mismatches


@call
def bulk(bus: int, device: int, size: int, count: int, speed_hz: int = 0) -> Bulk:
    """`count` transfers of `size` bytes back to back."""
    data, bad = pattern(size, 1), 0
    with opened(bus, device) as spi:
        fd, prepared = spi.fileno(), spidev.Message([{"data": data, "speed_hz": speed_hz}])
        begun = time.monotonic()
        for _ in range(count):
            bad += prepared.run(fd)[0] != data
        return {"seconds": time.monotonic() - begun, "bad": bad}


def pattern(size: int, seed: int) -> bytes:
    """Pseudo-random bytes (xorshift): neighbours differ, and so do patterns of different seeds."""
    values = array.array("B", bytes(size))
    state = seed * 2654435761 & 0xFFFFFFFF or 1
    for at in range(size):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        values[at] = state & 0xFF
    return values.tobytes()
