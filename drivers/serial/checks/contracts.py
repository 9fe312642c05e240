"""What the kernel shows of an 8250's work.

Ref: include/trace/events/irq.h; drivers/tty/serial/8250/8250_port.c
"""
from __future__ import annotations

from drivers.contract import Kprobe, Tracepoint, contract, ratio, role, seen

interrupt = role("interrupt of the port", Tracepoint("irq:irq_handler_entry"))
filled = role(
    "transmitter filled", Kprobe("serial8250_tx_chars", module="8250_base"), event="serial_tx"
)
handled = role(
    "interrupt that the port's driver takes",
    Kprobe("serial8250_handle_irq", module="8250_base"),
    event="serial_irq",
)

tx_fifo_is_filled = contract("the driver fills the tx FIFO", seen(filled))
received_by_interrupt = contract(
    "characters are received in the interrupt handler", seen(handled) & seen(interrupt)
)
tx_fifo_is_filled_by_interrupt = contract(
    "the tx FIFO is filled at most once per interrupt", ratio(filled, handled, at_most=1)
)
