"""What the kernel's RTC events must show.   Ref: include/trace/events/rtc.h"""
from __future__ import annotations

from drivers.contract import Tracepoint, contract, every, limit, order, role, seen

was_set = role("time set", Tracepoint("rtc:rtc_set_time"))
was_read = role("time read", Tracepoint("rtc:rtc_read_time"))
result = role("I2C transfer's result", Tracepoint("i2c:i2c_result"))

rtc_set_time_sets = contract(
    "rtc_set_time sets this time", every(was_set, secs=limit("seconds"), err=0) & seen(was_set)
)
rtc_read_time_returns = contract(
    "rtc_read_time returns this time",
    every(was_read, secs=limit("seconds"), err=0) & seen(was_read),
)
rtc_read_time_fails = contract(
    "rtc_read_time returns this error", every(was_read, err=limit("error")) & seen(was_read)
)
time_comes_from_the_chip = contract(
    "the time read comes from an I2C transfer", order(result, was_read) & seen(was_read)
)
