"""Calls that ask spidev for what it must refuse, and take the device away under an open file."""
from __future__ import annotations

import ctypes
import errno
import os
from typing import Any, Callable, Dict, List

from drivers.agent.call import call
from drivers.uapi import spidev

_DRIVER = "/sys/bus/spi/drivers/spidev"


@call
def bad_request(bus: int, device: int, request: int, argument: bytes = b"", address: int = 0) -> int:
    """An ioctl as it stands: `argument` where there is one, else the bare `address`; its errno reaches the host."""
    fd = os.open(spidev.path_of(bus, device), os.O_RDWR)
    try:
        buffer = ctypes.create_string_buffer(argument, len(argument)) if argument else None
        return spidev.ioctl_at(fd, request, ctypes.addressof(buffer) if buffer is not None else address)
    finally:
        os.close(fd)


@call
def refusals(bus: int, device: int, messages: List[List[Dict[str, Any]]]) -> List[str]:
    """Try each message; the name of the errno that each ends with, "" for none."""
    fd = os.open(spidev.path_of(bus, device), os.O_RDWR)
    try:
        return [_errno_of(lambda one=one: spidev.Message(one).run(fd)) for one in messages]  # type: ignore[misc]
    finally:
        os.close(fd)


@call
def unbound_while_open(bus: int, device: int) -> Dict[str, str]:
    """Unbind the driver under an open file and bind it again; the errno of each operation meanwhile, and after it.

    "reopen" and "again" belong to the device that came back.
    """
    name, path = "spi%d.%d" % (bus, device), spidev.path_of(bus, device)
    fd = os.open(path, os.O_RDWR)
    one = spidev.Message([{"data": b"a"}])
    try:
        _write(_DRIVER + "/unbind", name)
        try:
            found = {
                "read": _errno_of(lambda: os.read(fd, 1)), "write": _errno_of(lambda: os.write(fd, b"a")),
                "message": _errno_of(lambda: one.run(fd)), "mode": _errno_of(lambda: spidev.get(fd, spidev.RD_MODE32)),
                "open": _errno_of(lambda: os.close(os.open(path, os.O_RDWR))),
            }
        finally:
            _write(_DRIVER + "/bind", name)
        found["stale"] = _errno_of(lambda: os.read(fd, 1))
    finally:
        os.close(fd)
    fd = os.open(path, os.O_RDWR)
    try:
        found["again"] = _errno_of(lambda: one.run(fd))
    finally:
        os.close(fd)
    return found


@call
def memory_kept_by_set_up(bus: int, device: int, times: int) -> int:
    """Set the device's mode to what it is `times` times; bytes of kmalloc memory that are in use more than before."""
    fd = os.open(spidev.path_of(bus, device), os.O_RDWR)
    try:
        mode = spidev.get(fd, spidev.RD_MODE32)
        spidev.put(fd, spidev.WR_MODE32, mode)
        before = _kmalloc_bytes()
        for _ in range(times):
            spidev.put(fd, spidev.WR_MODE32, mode)
        return _kmalloc_bytes() - before
    finally:
        os.close(fd)


def _kmalloc_bytes() -> int:
    """Bytes in use in the smallest kmalloc caches, by /proc/slabinfo: name, active objects, objects, size."""
    with open("/proc/slabinfo") as table:
        rows = [line.split() for line in table if line.startswith("kmalloc-")]
    return sum(int(row[1]) * int(row[3]) for row in rows if int(row[3]) <= 64)


def _errno_of(act: Callable[[], Any]) -> str:
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error.errno))
    return ""


def _write(path: str, text: str) -> None:
    with open(path, "w") as opened:
        opened.write(text)
