"""Calls on an RTC behind I2C, through /dev/rtcN and sysfs.   Ref: include/uapi/linux/rtc.h, rtc(4)

The RTC is found by its I2C device: its number depends on what other RTCs there are.  Times are
text, "2024-02-29 23:59:59", in UTC.
"""
from __future__ import annotations

import calendar
import struct
import time
from typing import TypedDict

from drivers.agent.call import call
from drivers.rtc.unbind_in_use import ioctls_after_unbind, unbind_during_read
from drivers.uapi import i2c, rtc, sysfs

__all__ = [
    "alarm", "disable_alarm", "identity", "ioctls_after_unbind", "read", "read_many", "rebind",
    "set_alarm", "set_each", "set_time", "system_offset", "unbind_during_read", "voltage_low",
    "wait_for_ticks", "wakeup_active_for",
]  # fmt: skip

_SETTLED_S = 0.5


class Identity(TypedDict):
    """The bound driver, the RTC's name in sysfs, and whether the kernel sets the system time from
    it (rtc0).
    """

    driver: str
    name: str
    system: bool


class Times(TypedDict):
    """The times that were read, and the seconds from the first read to the last."""

    times: list[str]
    seconds: float


class Alarm(TypedDict):
    """The alarm's time, and whether it is enabled."""

    time: str
    enabled: bool


@call
def identity(*, adapter: str, address: int) -> Identity:
    """The driver and the name."""
    name = rtc.name_of(adapter, address)
    return {
        "driver": i2c.driver_of(adapter, address),
        "name": sysfs.read(f"/sys/class/rtc/{name}/name"),
        "system": name == "rtc0",
    }


@call
def read(*, adapter: str, address: int) -> str:
    """The time (RTC_RD_TIME)."""
    return rtc.text_of(rtc.now(adapter, address))


@call
def set_time(to: str, weekday: int | None = None, *, adapter: str, address: int) -> None:
    """Set the time (RTC_SET_TIME); `weekday`, 0 to 6 from Sunday, is the right one by default.

    The kernel then reads the RTC once more, from a work queue (rtc_update_irq); this waits until it
    has.
    """
    rtc.ioctl(adapter, address, rtc.SET_TIME, rtc.TIME.pack(*rtc.fields(to, weekday)))
    _ = wakeup_active_for(_SETTLED_S, adapter=adapter, address=address)


@call
def wakeup_active_for(longer_than_s: float, *, adapter: str, address: int) -> bool:
    """Whether the RTC's wakeup source stays active, which blocks suspend, from now for longer than
    this.

    False also for an RTC that is no wakeup source.
    """
    deadline = time.monotonic() + longer_than_s
    while True:
        if sysfs.read(i2c.client(adapter, address) + "/power/wakeup_active") != "1":
            return False
        if time.monotonic() > deadline:
            return True
        time.sleep(0.001)


@call
def set_each(times: list[str], *, adapter: str, address: int) -> list[str]:
    """Set each time, and read the RTC after each."""
    results = []
    for to in times:
        set_time(to, adapter=adapter, address=address)
        results.append(read(adapter=adapter, address=address))
    return results


@call
def read_many(count: int, *, adapter: str, address: int) -> Times:
    """Read the time `count` times."""
    began = time.monotonic()
    times = [read(adapter=adapter, address=address) for _ in range(count)]
    return {"times": times, "seconds": time.monotonic() - began}


@call
def wait_for_ticks(changes: int, timeout_s: float = 2.5, *, adapter: str, address: int) -> Times:
    """Read until the time has changed `changes` times; each time once."""
    times = [read(adapter=adapter, address=address)]
    began = now = time.monotonic()
    while len(times) <= changes and now < began + timeout_s:
        text, now = read(adapter=adapter, address=address), time.monotonic()
        if text != times[-1]:
            times.append(text)
    return {"times": times, "seconds": now - began}


@call
def voltage_low(*, adapter: str, address: int) -> int:
    """The state of the RTC's supply (RTC_VL_READ): 0, or bits RTC_VL_… ."""
    return int(struct.unpack("=I", rtc.ioctl(adapter, address, rtc.VL_READ, bytes(4)))[0])


@call
def set_alarm(to: str, enabled: bool = True, *, adapter: str, address: int) -> None:
    """Set the alarm (RTC_WKALM_SET)."""
    rtc.ioctl(adapter, address, rtc.WKALM_SET, rtc.ALARM.pack(enabled, 0, *rtc.fields(to)))


@call
def alarm(*, adapter: str, address: int) -> Alarm:
    """Read the alarm (RTC_WKALM_RD)."""
    enabled, _, *fields = rtc.ALARM.unpack(
        rtc.ioctl(adapter, address, rtc.WKALM_RD, bytes(rtc.ALARM.size))
    )
    return {"time": rtc.text_of(fields), "enabled": bool(enabled)}


@call
def disable_alarm(*, adapter: str, address: int) -> None:
    """Disable the alarm interrupt (RTC_AIE_OFF)."""
    rtc.ioctl(adapter, address, rtc.AIE_OFF, bytes(1))


@call
def system_offset(*, adapter: str, address: int) -> float:
    """The system time less the RTC's [s]."""
    second, minute, hour, day, month, year = rtc.now(adapter, address)[:6]
    return time.time() - calendar.timegm((year + 1900, month + 1, day, hour, minute, second))


@call
def rebind(driver: str, *, adapter: str, address: int) -> str:
    """Unbind the driver and bind it again, which probes the RTC; the driver bound then."""
    return i2c.rebind(adapter, address, driver)
