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

every_transfer_completes = contract(
    "every transfer completes all of its messages",
    all_equal(result, "nr_msgs", "ret") & seen(result),
)
transfers_return_the_error = contract(
    "the transfer returns this error", every(result, ret=limit("error")) & seen(result)
)
these_bytes_are_written = contract(
    "these bytes are written", payload_equals(written, limit("messages"), "buf")
)
these_bytes_are_read = contract(
    "these bytes are read", payload_equals(answered, limit("messages"), "buf")
)
reads_are_answered_before_the_result = contract(
    "each requested read is answered before the transfer's result",
    order(wanted, answered, result) & seen(result),
)
one_transfer = contract("there is one transfer", count(result, exactly=1))
read_completes_in_time = contract(
    "a read completes within the limit", latency(wanted, result, several=True, max=limit("most"))
)
