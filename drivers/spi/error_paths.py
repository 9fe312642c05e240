"""Requests that spidev must reject, and a driver that is unbound under an open file."""
from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from functools import partial
from typing import TypedDict

from drivers.agent.call import call
from drivers.uapi import spidev, sysfs
from drivers.uapi.spidev import Transfer


class UnbindErrnos(TypedDict):
    """The errno name of each operation, "" for none.

    read, write, message, mode: through the open file, while the driver is unbound; open: a second
    open() then; stale: read() through the old file after the driver is bound again; again: a
    message through a new file.
    """

    read: str
    write: str
    message: str
    mode: str
    open: str
    stale: str
    again: str


@call
def raw_ioctl(bus: int, device: int, request: int, argument: bytes = b"", address: int = 0) -> int:
    """Any ioctl: with `argument` if there is one, else with the bare pointer `address`.

    Its errno reaches the host.
    """
    with spidev.opened(bus, device) as fd:
        buffer = ctypes.create_string_buffer(argument, len(argument)) if argument else None
        return spidev.ioctl_at(
            fd, request, ctypes.addressof(buffer) if buffer is not None else address
        )


@call
def message_errnos(bus: int, device: int, messages: list[list[Transfer]]) -> list[str]:
    """Run each message; the name of the errno that it fails with, "" for none."""
    with spidev.opened(bus, device) as fd:
        return [_errno_of(partial(spidev.Message(transfers).run, fd)) for transfers in messages]


@call
def unbind_while_open(bus: int, device: int) -> UnbindErrnos:
    """Unbind the driver under an open file and bind it again.

    The errno of each operation (see UnbindErrnos).
    """
    name, path = f"spi{bus}.{device}", spidev.path_of(bus, device)
    prepared = spidev.Message([{"data": b"a"}])
    with spidev.opened(bus, device) as fd:
        sysfs.unbind("spi", "spidev", name)
        try:
            unbound = {
                "read": _errno_of(lambda: os.read(fd, 1)),
                "write": _errno_of(lambda: os.write(fd, b"a")),
                "message": _errno_of(lambda: prepared.run(fd)),
                "mode": _errno_of(lambda: spidev.get(fd, spidev.RD_MODE32)),
                "open": _errno_of(lambda: os.close(os.open(path, os.O_RDWR))),
            }
        finally:
            sysfs.bind("spi", "spidev", name)
        stale = _errno_of(lambda: os.read(fd, 1))
    with spidev.opened(bus, device) as fd:
        again = _errno_of(lambda: prepared.run(fd))
    return {
        "read": unbound["read"],
        "write": unbound["write"],
        "message": unbound["message"],
        "mode": unbound["mode"],
        "open": unbound["open"],
        "stale": stale,
        "again": again,
    }


@call
def setup_leak_bytes(bus: int, device: int, times: int) -> int:
    """Set the mode to what it is `times` times, each of which is an spi_setup().

    The growth of kmalloc memory [bytes].

    Counted are the kmalloc caches of up to 64 bytes.
    """
    with spidev.opened(bus, device) as fd:
        mode = spidev.get(fd, spidev.RD_MODE32)
        spidev.put(fd, spidev.WR_MODE32, mode)
        before = _kmalloc_bytes()
        for _ in range(times):
            spidev.put(fd, spidev.WR_MODE32, mode)
        return _kmalloc_bytes() - before


def _kmalloc_bytes() -> int:
    """Bytes in use in the smallest kmalloc caches, by /proc/slabinfo: name, active objects,
    objects, size.
    """
    with open("/proc/slabinfo") as table:
        rows = [line.split() for line in table if line.startswith("kmalloc-")]
    return sum(int(row[1]) * int(row[3]) for row in rows if int(row[3]) <= 64)


def _errno_of(action: Callable[[], object]) -> str:
    try:
        action()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error.errno))
    return ""
