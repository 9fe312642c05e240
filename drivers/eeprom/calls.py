"""Calls on an EEPROM that is bound to at24, through its nvmem file in sysfs.

Ref: drivers/misc/eeprom/at24.c
"""
from __future__ import annotations

import os
import time
from typing import TypedDict

from drivers.agent.call import call
from drivers.uapi import i2c


class Identity(TypedDict):
    """The driver bound to the EEPROM, and its file's size [bytes], 0 when there is none."""

    driver: str
    size: int


class ReadBack(TypedDict):
    """What was read after a write, and how long the write took [s]."""

    data: bytes
    seconds: float


def _file(adapter: str, address: int) -> str:
    return i2c.client(adapter, address) + "/eeprom"


@call
def identity(*, adapter: str, address: int) -> Identity:
    """The driver, and the size of the file."""
    path = _file(adapter, address)
    return {
        "driver": i2c.driver_of(adapter, address),
        "size": os.stat(path).st_size if os.path.exists(path) else 0,
    }


@call
def read(offset: int = 0, count: int = 256, *, adapter: str, address: int) -> bytes:
    """`count` bytes from `offset`; fewer at the end of the memory."""
    opened = os.open(_file(adapter, address), os.O_RDONLY)
    try:
        return os.pread(opened, count, offset)
    finally:
        os.close(opened)


@call
def read_each(places: list[tuple[int, int]], *, adapter: str, address: int) -> list[bytes]:
    """`read` of each (offset, count)."""
    return [read(offset, count, adapter=adapter, address=address) for offset, count in places]


@call
def write(offset: int, data: bytes, *, adapter: str, address: int) -> int:
    """Write `data` at `offset`; the number of bytes written."""
    opened = os.open(_file(adapter, address), os.O_WRONLY)
    try:
        return os.pwrite(opened, data, offset)
    finally:
        os.close(opened)


@call
def write_and_read(offset: int, data: bytes, *, adapter: str, address: int) -> ReadBack:
    """Write, and read back at once."""
    began = time.monotonic()
    write(offset, data, adapter=adapter, address=address)
    seconds = time.monotonic() - began
    return {"data": read(offset, len(data), adapter=adapter, address=address), "seconds": seconds}


@call
def rebind(driver: str = "at24", *, adapter: str, address: int) -> str:
    """Unbind the driver and bind it again, which probes the EEPROM; the driver bound then."""
    return i2c.rebind(adapter, address, driver)
