"""What the kernel's trace must show.   Ref: include/trace/events/i2c.h; the bench's docs/traces.md"""
from __future__ import annotations

from drivers.contract import Tracepoint, all_equal, contract, role, seen

result = role("transfer's result", Tracepoint("i2c:i2c_result"))

every_message_is_transferred = contract(
    "each transfer with the memory does all of its messages", all_equal(result, "nr_msgs", "ret") & seen(result))
