"""A clock's node, its ioctls and their structures.   Ref: include/uapi/linux/rtc.h"""
from __future__ import annotations

import calendar
import errno
import fcntl
import os
import re
import struct
import time
from typing import List, Optional, Sequence, Tuple

from drivers.uapi.i2c import client
from drivers.uapi.ioctl import ioc

TIME = struct.Struct("=9i")  # struct rtc_time: a struct tm
ALARM = struct.Struct("=BBxx9i")  # struct rtc_wkalrm: enabled, pending, time
RD_TIME, SET_TIME = ioc(2, "p", 0x09, TIME.size), ioc(1, "p", 0x0A, TIME.size)
WKALM_SET, WKALM_RD = ioc(1, "p", 0x0F, ALARM.size), ioc(2, "p", 0x10, ALARM.size)
VL_READ, AIE_OFF = ioc(2, "p", 0x13, 4), ioc(0, "p", 0x02, 0)


def name_of(adapter: str, address: int) -> str:
    """The kernel's name for the clock, rtcN; ENODEV when no driver has it."""
    folder = client(adapter, address) + "/rtc"
    for entry in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        return entry
    raise OSError(errno.ENODEV, "no rtc at %#x of %s: no driver is bound" % (address, adapter))


def ioctl(adapter: str, address: int, request: int, data: bytes) -> bytes:
    """Open the clock and ask; what is in `data` afterwards."""
    opened = os.open("/dev/" + name_of(adapter, address), os.O_RDONLY | os.O_CLOEXEC)
    try:
        return fcntl.ioctl(opened, request, data)
    finally:
        os.close(opened)


def now(adapter: str, address: int) -> Tuple[int, ...]:
    """The time as the fields of a struct tm."""
    return TIME.unpack(ioctl(adapter, address, RD_TIME, bytes(TIME.size)))


def fields(text: str, weekday: Optional[int] = None) -> List[int]:
    """The fields of a struct tm; a day that there is not is the kernel's to refuse."""
    year, month, day, hour, minute, second = map(int, re.findall(r"\d+", text))
    if weekday is None:
        weekday = (time.gmtime(calendar.timegm((year, month, day, 0, 0, 0))).tm_wday + 1) % 7
    return [second, minute, hour, day, month - 1, year - 1900, weekday, 0, 0]


def text_of(tm: Sequence[int]) -> str:
    """The fields of a struct tm as a text."""
    second, minute, hour, day, month, year = tm[:6]
    return "%04d-%02d-%02d %02d:%02d:%02d" % (year + 1900, month + 1, day, hour, minute, second)
