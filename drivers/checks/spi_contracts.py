"""What the kernel's trace must show of any SPI transfer.   Ref: include/trace/events/spi.h

Bind `bus` and `device` (spidev's numbers), `messages`, `frames` (how many), `sent`, `received` (of
each transfer the first 64 bytes).
"""
from __future__ import annotations

from drivers.contract import (
    Contract,
    Tracepoint,
    absent_between,
    all_equal,
    contract,
    count,
    every,
    limit,
    never,
    order,
    other_than,
    pair,
    payload_equals,
    role,
    seen,
)

OURS = {"bus_num": limit("bus"), "chip_select": limit("device")}

submitted = role("message submitted", Tracepoint("spi:spi_message_submit")).where(**OURS)
begun = role("message begun", Tracepoint("spi:spi_message_start")).where(**OURS)
done = role("message done", Tracepoint("spi:spi_message_done")).where(**OURS)
transfer_begins = role("transfer begins", Tracepoint("spi:spi_transfer_start")).where(**OURS)
transfer_ends = role("transfer ends", Tracepoint("spi:spi_transfer_stop")).where(**OURS)
selected = role("chip selected", Tracepoint("spi:spi_set_cs")).where(enable=1, **OURS)
deselected = role("chip deselected", Tracepoint("spi:spi_set_cs")).where(enable=0, **OURS)
busy = role("controller busy", Tracepoint("spi:spi_controller_busy")).where(bus_num=limit("bus"))
set_up = role("device set up", Tracepoint("spi:spi_setup")).where(**OURS)

every_message_completes: Contract = contract(
    "every message starts once and completes once, with every requested byte",
    order(submitted, begun, done)
    & pair(submitted, done, key="msg", edges="closed")
    & all_equal(done, "frame", "actual")
    & count(done, exactly=limit("messages")),
)

every_transfer_stops: Contract = contract(
    "every transfer that starts also stops",
    pair(transfer_begins, transfer_ends, key="xfer", edges="closed"),
)

message_completes_short: Contract = contract(
    "the message completes with a short transfer",
    count(done, exactly=1) & every(done, actual=0),
)

chip_select_frames_each_message: Contract = contract(
    "the chip select is asserted before a message's first transfer and deasserted after its last",
    pair(selected, deselected, edges="closed")
    & absent_between(transfer_begins, deselected, selected)
    & count(selected, exactly=limit("frames")),
)

sent_data: Contract = contract(
    "the kernel sent these bytes",
    payload_equals(transfer_begins, limit("sent"), "tx_buf"),
)

received_data: Contract = contract(
    "the kernel received these bytes",
    payload_equals(transfer_ends, limit("received"), "rx_buf"),
)

# Not that it is idle afterwards: for a message that runs in the caller's context, as spidev's do,
# spi.c emits only spi_controller_busy (__spi_pump_transfer_message); spi_controller_idle comes from
# the pump's kthread (__spi_pump_messages).
controller_is_busy_for_each_message: Contract = contract(
    "the controller is busy before each message starts",
    order(busy, begun) & seen(begun),
)

spi_setup_succeeds: Contract = contract(
    "each spi_setup succeeds",
    count(set_up, at_least=1) & never(set_up.where(status=other_than(0))),
)
