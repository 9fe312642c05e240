"""A serial port's counters, output queue and driver, and transfers through an open port.

Ref: tty_ioctl(4); include/uapi/linux/serial.h (struct serial_icounter_struct)
"""
from __future__ import annotations

import array
import fcntl
import os
import random
import struct
import termios
import threading
import time
from typing import Protocol, TypedDict

from drivers.uapi import sysfs

TIOCGICOUNT = 0x545D
COUNTERS = (
    "cts",
    "dsr",
    "rng",
    "dcd",
    "rx",
    "tx",
    "frame",
    "overrun",
    "parity",
    "brk",
    "buf_overrun",
)
# A reader that wakes for every 16 characters leaves an emulated processor no time for the driver.
_GATHER_S = 0.01


class Port(Protocol):
    """An open port: what the calls here use of pyserial's Serial."""

    @property
    def in_waiting(self) -> int: ...

    def fileno(self) -> int: ...

    def read(self, size: int = 1) -> bytes: ...

    def write(self, data: bytes) -> int | None: ...

    def cancel_write(self) -> None: ...

    def reset_output_buffer(self) -> None: ...


class Identity(TypedDict):
    """A port's device and the driver it is bound to."""

    device: str
    driver: str


class Echo(TypedDict):
    """The characters received, the seconds, and the counters that have changed."""

    data: bytes
    seconds: float
    counters: dict[str, int]


class Run(TypedDict):
    """How many characters were received, the offset of the first wrong one (-1: none), seconds,
    changed counters.
    """

    received: int
    wrong: int
    seconds: float
    counters: dict[str, int]


def identity(port: str) -> Identity:
    """The driver of a port, as ttyS0."""
    device = os.path.realpath(f"/sys/class/tty/{port}/device")
    while device != "/" and not os.path.islink(device + "/driver"):
        # Since 6.5 serial-base has devices between the tty and the hardware.
        device = os.path.dirname(device)
    return {"device": os.path.basename(device), "driver": sysfs.driver_of(device)}


def counters(opened: Port) -> dict[str, int]:
    """The port's interrupt counters: modem line changes, rx, tx, frame, overrun, parity, break."""
    raw = fcntl.ioctl(opened.fileno(), TIOCGICOUNT, bytes(20 * 4))
    return dict(zip(COUNTERS, struct.unpack_from(f"{len(COUNTERS)}i", raw)))


def changed(opened: Port, before: dict[str, int]) -> dict[str, int]:
    """The counters that have changed since `before`, and by how much."""
    return {
        name: count - before[name]
        for name, count in counters(opened).items()
        if count != before[name]
    }


def queued(opened: Port) -> int:
    """How many characters are in the output queue (TIOCOUTQ)."""
    count = array.array("i", [0])
    fcntl.ioctl(opened.fileno(), termios.TIOCOUTQ, count)
    return count[0]


def drain(opened: Port, timeout_s: float) -> float:
    """Wait until the output queue is empty.

    The seconds it took.  Raises TimeoutError: tcdrain has no timeout.
    """
    began = time.monotonic()
    while queued(opened):
        if time.monotonic() - began > timeout_s:
            raise TimeoutError(f"{queued(opened)} characters were not sent within {timeout_s} s")
        time.sleep(0.001)
    return time.monotonic() - began


def echo(opened: Port, data: bytes) -> Echo:
    """Write `data` and read as many characters."""
    before, began = counters(opened), time.monotonic()
    writer = threading.Thread(target=opened.write, args=(data,))
    writer.start()
    received = opened.read(len(data))
    writer.join()
    return {
        "data": received,
        "seconds": time.monotonic() - began,
        "counters": changed(opened, before),
    }


def bulk(opened: Port, count: int, seed: int) -> Run:
    """Write `count` random characters and compare what is read.

    The port's timeout is that of each read.
    """
    sent = random.Random(seed).getrandbits(8 * count).to_bytes(count, "little")
    received = bytearray()
    before, began = counters(opened), time.monotonic()
    writer = threading.Thread(target=opened.write, args=(sent,))
    writer.start()
    while len(received) < count:
        time.sleep(_GATHER_S)
        part = opened.read(max(1, min(opened.in_waiting, count - len(received))))
        if not part:
            # Before the output queue has room again, or the rest is written.
            opened.cancel_write()
            opened.reset_output_buffer()
            break
        received += part
    writer.join()
    extra = opened.in_waiting
    wrong = next((at for at, (tx, rx) in enumerate(zip(sent, received)) if tx != rx), -1)
    return {
        "received": len(received) + extra,
        "wrong": wrong,
        "seconds": time.monotonic() - began,
        "counters": changed(opened, before),
    }
