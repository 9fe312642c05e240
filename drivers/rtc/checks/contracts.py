"""What the kernel's RTC events must show.   Ref: include/trace/events/rtc.h"""
from __future__ import annotations

from drivers.contract import Tracepoint, contract, every, limit, order, role, seen

was_set = role("time set", Tracepoint("rtc:rtc_set_time"))
was_read = role("time read", Tracepoint("rtc:rtc_read_time"))
result = role("I2C transfer's result", Tracepoint("i2c:i2c_result"))

set_to_the_time = contract("the time is set to this", every(was_set, secs=limit("seconds"), err=0) & seen(was_set))
read_the_time = contract("the time read is this", every(was_read, secs=limit("seconds"), err=0) & seen(was_read))
reading_fails_with_the_error = contract(
    "a reading ends with this error", every(was_read, err=limit("error")) & seen(was_read))
read_from_the_chip = contract("the time that is told comes from the chip", order(result, was_read) & seen(was_read))
