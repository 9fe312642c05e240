"""An RTC's node, its ioctls and their structures.   Ref: include/uapi/linux/rtc.h"""
from __future__ import annotations

import calendar
import errno
import fcntl
import os
import re
import struct
import time
from collections.abc import Sequence

from drivers.uapi.i2c import client
from drivers.uapi.ioctl import ioc

TIME = struct.Struct("=9i")  # struct rtc_time: a struct tm
ALARM = struct.Struct("=BBxx9i")  # struct rtc_wkalrm: enabled, pending, time
RD_TIME, SET_TIME = ioc(2, "p", 0x09, TIME.size), ioc(1, "p", 0x0A, TIME.size)
WKALM_SET, WKALM_RD = ioc(1, "p", 0x0F, ALARM.size), ioc(2, "p", 0x10, ALARM.size)
VL_READ, AIE_OFF = ioc(2, "p", 0x13, 4), ioc(0, "p", 0x02, 0)


def name_of(adapter: str, address: int) -> str:
    """The RTC's name, rtcN; ENODEV when no driver is bound."""
    folder = client(adapter, address) + "/rtc"
    for entry in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        return entry
    raise OSError(errno.ENODEV, f"no rtc at {address:#x} of {adapter}: no driver is bound")


def ioctl(adapter: str, address: int, request: int, data: bytes) -> bytes:
    """Open the RTC and run an ioctl; `data` as the kernel left it."""
    opened = os.open("/dev/" + name_of(adapter, address), os.O_RDONLY | os.O_CLOEXEC)
    try:
        return fcntl.ioctl(opened, request, data)
    finally:
        os.close(opened)


def now(adapter: str, address: int) -> tuple[int, ...]:
    """The time (RTC_RD_TIME) as the fields of a struct rtc_time."""
    return TIME.unpack(ioctl(adapter, address, RD_TIME, bytes(TIME.size)))


def fields(text: str, weekday: int | None = None) -> list[int]:
    """The fields of a struct rtc_time; invalid dates pass, for the kernel to reject."""
    year, month, day, hour, minute, second = map(int, re.findall(r"\d+", text))
    if weekday is None:
        weekday = (time.gmtime(calendar.timegm((year, month, day, 0, 0, 0))).tm_wday + 1) % 7
    return [second, minute, hour, day, month - 1, year - 1900, weekday, 0, 0]


def text_of(tm: Sequence[int]) -> str:
    """The fields of a struct rtc_time as text."""
    second, minute, hour, day, month, year = tm[:6]
    return f"{year + 1900:04}-{month + 1:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
