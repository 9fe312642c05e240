"""What the kernel's I2C events must show.   Ref: include/trace/events/i2c.h"""
from __future__ import annotations

from drivers.contract import (
    Tracepoint,
    all_equal,
    contract,
    count,
    every,
    latency,
    limit,
    order,
    payload_equals,
    role,
    seen,
)

written = role("message to write", Tracepoint("i2c:i2c_write"))
wanted = role("message to read", Tracepoint("i2c:i2c_read"))
answered = role("message that was read", Tracepoint("i2c:i2c_reply"))
result = role("transfer's result", Tracepoint("i2c:i2c_result"))

every_transfer_is_whole = contract(
    "every transfer does all of its messages", all_equal(result, "nr_msgs", "ret") & seen(result))
transfers_fail_with_the_error = contract(
    "the transfer ends with this error", every(result, ret=limit("error")) & seen(result))
wrote_the_bytes = contract("these bytes were to be written", payload_equals(written, limit("messages"), "buf"))
read_the_bytes = contract("these bytes were read", payload_equals(answered, limit("messages"), "buf"))
reads_are_answered_before_the_result = contract(
    "a message that was asked for is read, then the transfer ends", order(wanted, answered, result) & seen(result))
one_transfer = contract("there is one transfer", count(result, exactly=1))
transfer_is_quick = contract(
    "a read is over within the limit", latency(wanted, result, several=True, max=limit("most")))
