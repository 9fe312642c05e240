"""/dev/input/eventN by its system calls.

Ref: Documentation/input/input.rst, include/uapi/linux/input.h
"""
from __future__ import annotations

import errno
import fcntl
import os
import struct
from typing import TypedDict

from drivers.uapi import sysfs
from drivers.uapi.input_event_codes import EV_SYN, PACKED, SYN_REPORT
from drivers.uapi.ioctl import ioc

CLOCK_MONOTONIC = 1
_EVENT = struct.Struct("@LLHHi")  # struct input_event; native long
EVIOCSCLOCKID = ioc(1, "E", 0xA0, 4)
EVIOCGRAB = ioc(1, "E", 0x90, 4)


class Capabilities(TypedDict):
    """What a device can report: its name, and the codes of EV_KEY and EV_REL."""

    name: str
    keys: list[int]
    axes: list[int]


def nodes(vendor: int, product: int) -> list[str]:
    """Names, as event0, of the event nodes of the devices with these ids."""
    base = "/sys/class/input"
    names = (
        [name for name in os.listdir(base) if name.startswith("event")]
        if os.path.isdir(base)
        else []
    )
    return sorted(name for name in names if _ids(os.path.join(base, name)) == (vendor, product))


def _ids(folder: str) -> tuple[int, int]:
    """Vendor and product; -1 for what is unplugged meanwhile."""
    texts = [
        sysfs.read(f"{folder}/device/id/{name}", sysfs.ABSENT) for name in ("vendor", "product")
    ]
    return int(texts[0] or "-1", 16), int(texts[1] or "-1", 16)


def node(vendor: int, product: int) -> str:
    """The path of the device's event node; ENODEV when it has none."""
    names = nodes(vendor, product)
    if not names:
        raise OSError(
            errno.ENODEV, f"no input device {vendor:04x}:{product:04x}: is a driver bound to it?"
        )
    return "/dev/input/" + names[0]


def open_node(path: str) -> int:
    """Open for non-blocking reads, grabbed, with time stamps of CLOCK_MONOTONIC."""
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(opened, EVIOCSCLOCKID, struct.pack("i", CLOCK_MONOTONIC))
    fcntl.ioctl(opened, EVIOCGRAB, 1)
    return opened


def read_packed(opened: int) -> tuple[bytes, int]:
    """The events that are queued, packed, and the number of SYN_REPORTs among them.

    ENODEV when the device is gone.
    """
    packed = bytearray()
    reports = 0
    while True:
        try:
            data = os.read(opened, _EVENT.size * 512)
        except BlockingIOError:
            return bytes(packed), reports
        for seconds, micro, kind, code, value in _EVENT.iter_unpack(data):
            packed += PACKED.pack(seconds * 1000000000 + micro * 1000, kind, code, value)
            reports += (kind, code) == (EV_SYN, SYN_REPORT)
        if len(data) < _EVENT.size * 512:
            return bytes(packed), reports


def capabilities(opened: int) -> Capabilities:
    """What the device can report, by EVIOCGNAME and EVIOCGBIT."""
    name = bytearray(256)
    fcntl.ioctl(opened, ioc(2, "E", 0x06, len(name)), name)
    return {
        "name": name.split(b"\0")[0].decode("utf-8", "replace"),
        "keys": _bits(opened, 1),
        "axes": _bits(opened, 2),
    }


def _bits(opened: int, kind: int) -> list[int]:
    mask = bytearray(96)
    fcntl.ioctl(opened, ioc(2, "E", 0x20 + kind, len(mask)), mask)
    return [bit for bit in range(len(mask) * 8) if mask[bit // 8] >> bit % 8 & 1]
