"""Calls on a real-time clock behind I2C, through /dev/rtcN and sysfs.   Ref: include/uapi/linux/rtc.h, rtc(4)

The clock is found by the I2C device that it belongs to: its number depends on what other clocks there are. Times are
texts, "2024-02-29 23:59:59", in UTC.
"""
from __future__ import annotations

import calendar
import struct
import time
from typing import Any, Dict, List, Optional

from drivers.agent.call import call
from drivers.rtc.unbind_in_use import asked_when_gone, gone_while_read
from drivers.uapi import rtc
from drivers.uapi.i2c import client, driver_of
from drivers.uapi.i2c import rebind as _rebind

__all__ = [
    "alarm", "alarm_off", "asked_when_gone", "gone_while_read", "identity", "keeps_awake", "read", "read_many",
    "rebind", "set_alarm", "set_each", "set_time", "system_ahead", "voltage", "watch",
]

_SETTLED_S = 0.5


@call
def identity(*, adapter: str, address: int) -> Dict[str, Any]:
    """The bound driver, the clock's name in sysfs, and whether the kernel is to set the system's time by it."""
    which = rtc.name_of(adapter, address)
    with open("/sys/class/rtc/%s/name" % which) as name:
        return {"driver": driver_of(adapter, address), "name": name.read().strip(), "system": which == "rtc0"}


@call
def read(*, adapter: str, address: int) -> str:
    """The time (RTC_RD_TIME)."""
    return rtc.text_of(rtc.now(adapter, address))


@call
def set_time(to: str, weekday: Optional[int] = None, *, adapter: str, address: int) -> None:
    """Set the time (RTC_SET_TIME); `weekday`, 0 to 6 from Sunday, is the right one when not said.

    The kernel reads the clock once more after that, on its own; this waits until it has.
    """
    rtc.ioctl(adapter, address, rtc.SET_TIME, rtc.TIME.pack(*rtc.fields(to, weekday)))
    _ = keeps_awake(_SETTLED_S, adapter=adapter, address=address)


@call
def keeps_awake(longer_than_s: float, *, adapter: str, address: int) -> bool:
    """Whether the clock keeps the system from sleep for so long from now; False for one that may not wake it either."""
    deadline = time.monotonic() + longer_than_s
    while True:
        with open(client(adapter, address) + "/power/wakeup_active") as active:
            if active.read().strip() != "1":
                return False
        if time.monotonic() > deadline:
            return True
        time.sleep(0.001)


@call
def set_each(times: List[str], *, adapter: str, address: int) -> List[str]:
    """Set each time; what the clock reads after each."""
    found = []
    for to in times:
        set_time(to, adapter=adapter, address=address)
        found.append(read(adapter=adapter, address=address))
    return found


@call
def read_many(count: int, *, adapter: str, address: int) -> Dict[str, Any]:
    """Read the time `count` times: the times, and the seconds that all took."""
    began = time.monotonic()
    times = [read(adapter=adapter, address=address) for _ in range(count)]
    return {"times": times, "seconds": time.monotonic() - began}


@call
def watch(changes: int, timeout_s: float = 2.5, *, adapter: str, address: int) -> Dict[str, Any]:
    """Read until the time has changed so often: each time once, and the seconds from the first reading to the last."""
    times = [read(adapter=adapter, address=address)]
    began = now = time.monotonic()
    while len(times) <= changes and now < began + timeout_s:
        found, now = read(adapter=adapter, address=address), time.monotonic()
        if found != times[-1]:
            times.append(found)
    return {"times": times, "seconds": now - began}


@call
def voltage(*, adapter: str, address: int) -> int:
    """What is wrong with the supply (RTC_VL_READ): 0, or bits RTC_VL_… ."""
    return int(struct.unpack("=I", rtc.ioctl(adapter, address, rtc.VL_READ, bytes(4)))[0])


@call
def set_alarm(to: str, enabled: bool = True, *, adapter: str, address: int) -> None:
    """Set the alarm (RTC_WKALM_SET)."""
    rtc.ioctl(adapter, address, rtc.WKALM_SET, rtc.ALARM.pack(enabled, 0, *rtc.fields(to)))


@call
def alarm(*, adapter: str, address: int) -> Dict[str, Any]:
    """The alarm (RTC_WKALM_RD) and whether it is enabled."""
    enabled, _, *fields = rtc.ALARM.unpack(rtc.ioctl(adapter, address, rtc.WKALM_RD, bytes(rtc.ALARM.size)))
    return {"time": rtc.text_of(fields), "enabled": bool(enabled)}


@call
def alarm_off(*, adapter: str, address: int) -> None:
    """Have no alarm (RTC_AIE_OFF)."""
    rtc.ioctl(adapter, address, rtc.AIE_OFF, bytes(1))


@call
def system_ahead(*, adapter: str, address: int) -> float:
    """By how many seconds the system's time is ahead of the clock's."""
    second, minute, hour, day, month, year = rtc.now(adapter, address)[:6]
    return time.time() - calendar.timegm((year + 1900, month + 1, day, hour, minute, second))


@call
def rebind(driver: str, *, adapter: str, address: int) -> str:
    """Take the driver away and bind it again, which makes it probe; the driver that is bound then."""
    return _rebind(adapter, address, driver)
