"""What the kernel's trace must show of a sensor's frames and its interrupt.

Ref: include/trace/events/{spi,gpio}.h

Bind `bus`, `device`; `opcodes` (the first bytes of each frame) or `messages`.
"""
from __future__ import annotations

from drivers.checks.spi_contracts import (
    done,
    every_message_completes,
    every_transfer_stops,
    transfer_begins,
)
from drivers.contract import Contract, contract, count, limit, payload_equals

opcodes_are_sent: Contract = contract(
    "the kernel sends these opcodes",
    payload_equals(transfer_begins.where(len=1), limit("opcodes"), "tx_buf"),
)

messages_complete: Contract = contract(
    "this many messages complete",
    count(done, exactly=limit("messages")),
)

__all__ = [
    "every_message_completes",
    "every_transfer_stops",
    "messages_complete",
    "opcodes_are_sent",
]
