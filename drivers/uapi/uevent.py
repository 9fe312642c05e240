"""The kernel's uevents: devices that are added, removed, bound, by netlink.

Ref: lib/kobject_uevent.c
"""
from __future__ import annotations

import select
import socket
import time

NETLINK_KOBJECT_UEVENT = 15
_KERNEL_GROUP = 1


class Uevents:
    """Receives uevents from now on; a context manager."""

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT
        )
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind((0, _KERNEL_GROUP))

    def __enter__(self) -> Uevents:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def fileno(self) -> int:
        """For select()."""
        return self._socket.fileno()

    def next(self, deadline: float) -> dict[str, str] | None:
        """The next uevent's variables (ACTION, DEVPATH, SUBSYSTEM, …).

        None at `deadline` (monotonic).
        """
        left = max(0.0, deadline - time.monotonic())
        if not select.select([self._socket], [], [], left)[0]:
            return None
        fields = self._socket.recv(16384).split(b"\0")[1:]
        pairs = (
            field.decode("utf-8", "replace").partition("=") for field in fields if b"=" in field
        )
        return {name: value for name, _, value in pairs}
