"""Calls on an EEPROM that at24 has bound, through its sysfs file.   Ref: drivers/misc/eeprom/at24.c"""
from __future__ import annotations

import os
import time
from typing import Any, Dict, List

from drivers.agent.call import call
from drivers.uapi.i2c import client, driver_of
from drivers.uapi.i2c import rebind as _rebind


def _file(adapter: str, address: int) -> str:
    return client(adapter, address) + "/eeprom"


@call
def identity(*, adapter: str, address: int) -> Dict[str, Any]:
    """The bound driver, and the size of the file in bytes (0 when there is none)."""
    path = _file(adapter, address)
    return {"driver": driver_of(adapter, address), "size": os.stat(path).st_size if os.path.exists(path) else 0}


@call
def read(offset: int = 0, count: int = 256, *, adapter: str, address: int) -> bytes:
    """`count` bytes from `offset`; fewer at the end of the memory."""
    opened = os.open(_file(adapter, address), os.O_RDONLY)
    try:
        return os.pread(opened, count, offset)
    finally:
        os.close(opened)


@call
def read_each(places: List[List[int]], *, adapter: str, address: int) -> List[bytes]:
    """What `read` gives for each [offset, count]."""
    return [read(offset, count, adapter=adapter, address=address) for offset, count in places]


@call
def write(offset: int, data: bytes, *, adapter: str, address: int) -> int:
    """Write `data` at `offset`; how many bytes the kernel took."""
    opened = os.open(_file(adapter, address), os.O_WRONLY)
    try:
        return os.pwrite(opened, data, offset)
    finally:
        os.close(opened)


@call
def write_and_read(offset: int, data: bytes, *, adapter: str, address: int) -> Dict[str, Any]:
    """Write, read back at once, and how long the write took, s."""
    began = time.monotonic()
    write(offset, data, adapter=adapter, address=address)
    took = time.monotonic() - began
    return {"data": read(offset, len(data), adapter=adapter, address=address), "seconds": took}


@call
def rebind(driver: str = "at24", *, adapter: str, address: int) -> str:
    """Take the driver away and bind it again, which makes it probe; the driver that is bound then."""
    return _rebind(adapter, address, driver)
