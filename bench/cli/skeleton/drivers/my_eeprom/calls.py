"""Calls on an EEPROM that at24 has bound.   Ref: drivers/misc/eeprom/at24.c

This file runs on the target: Python 3.8, the standard library, drivers.agent and drivers.uapi.
"""
from __future__ import annotations

import os

from drivers.agent.call import call
from drivers.uapi.i2c import client


@call
def read(offset: int, count: int, *, adapter: str, address: int) -> bytes:
    """Read `count` bytes from `offset`; fewer come at the end of the memory.

    The board's `arguments` give `adapter` and `address`.
    """
    opened = os.open(client(adapter, address) + "/eeprom", os.O_RDONLY)
    try:
        return os.pread(opened, count, offset)
    finally:
        os.close(opened)


@call
def write(offset: int, data: bytes, *, adapter: str, address: int) -> int:
    """Write `data` at `offset` and return how many bytes the kernel took."""
    opened = os.open(client(adapter, address) + "/eeprom", os.O_WRONLY)
    try:
        return os.pwrite(opened, data, offset)
    finally:
        os.close(opened)
