"""/dev/input/eventN by its own system calls.   Ref: Documentation/input/input.rst, include/uapi/linux/input.h"""
from __future__ import annotations

import errno
import fcntl
import os
import struct
from typing import Any, Dict, List, Tuple

from drivers.uapi.input_event_codes import EV_SYN, PACKED, SYN_REPORT
from drivers.uapi.ioctl import ioc

CLOCK_MONOTONIC = 1
_EVENT = struct.Struct("@LLHHi")  # the kernel's own long is the program's
EVIOCSCLOCKID = ioc(1, "E", 0xA0, 4)
EVIOCGRAB = ioc(1, "E", 0x90, 4)


def nodes(vendor: int, product: int) -> List[str]:
    """Names, as event0, of the event devices with these ids."""
    base = "/sys/class/input"
    names = [name for name in os.listdir(base) if name.startswith("event")] if os.path.isdir(base) else []
    return sorted(name for name in names if _ids(os.path.join(base, name)) == (vendor, product))


def _ids(folder: str) -> Tuple[int, int]:
    found = []
    for name in ("vendor", "product"):
        try:
            with open("%s/device/id/%s" % (folder, name)) as opened:
                found.append(int(opened.read(), 16))
        except FileNotFoundError:  # it went away while we looked
            return -1, -1
    return found[0], found[1]


def node(vendor: int, product: int) -> str:
    """The path of the device's event node; ENODEV when it has none."""
    names = nodes(vendor, product)
    if not names:
        raise OSError(errno.ENODEV, "no input device %04x:%04x: is a driver bound to the mouse?" % (vendor, product))
    return "/dev/input/" + names[0]


def open_node(path: str) -> int:
    """Open for reading without waiting, its times by CLOCK_MONOTONIC, nobody else reading."""
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(opened, EVIOCSCLOCKID, struct.pack("i", CLOCK_MONOTONIC))
    fcntl.ioctl(opened, EVIOCGRAB, 1)
    return opened


def read_packed(opened: int) -> Tuple[bytes, int]:
    """What there is to read, packed, and how many SYN_REPORTs are in it; OSError(ENODEV) when the device is gone."""
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


def capabilities(opened: int) -> Dict[str, Any]:
    """What the device can report: name, and the codes of each kind of event."""
    name = bytearray(256)
    fcntl.ioctl(opened, ioc(2, "E", 0x06, len(name)), name)
    return {"name": name.split(b"\0")[0].decode("utf-8", "replace"),
            "keys": _bits(opened, 1), "axes": _bits(opened, 2)}


def _bits(opened: int, kind: int) -> List[int]:
    mask = bytearray(96)
    fcntl.ioctl(opened, ioc(2, "E", 0x20 + kind, len(mask)), mask)
    return [bit for bit in range(len(mask) * 8) if mask[bit // 8] >> bit % 8 & 1]
