"""What the kernel's trace must show of the dm9000 driver.

Ref: drivers/net/ethernet/davicom/dm9000.c

dm9000_rx and dm9000_tx_done are inlined into dm9000_interrupt; what can be probed is named here.
"""
from __future__ import annotations

from drivers.contract import (
    Contract,
    Kprobe,
    Kretprobe,
    absent_between,
    contract,
    count,
    limit,
    never,
    order,
    pair,
    role,
)

MODULE = "dm9000"

given = role(
    "frame given to the driver",
    Kprobe("dm9000_start_xmit", MODULE, {"skb": "%r0"}),
    event="dm9000_xmit",
)
requested = role(
    "frame requested to be sent",
    Kprobe("dm9000_send_packet", MODULE, {"length": "%r2:u16"}),
    event="dm9000_send",
)
interrupted = role(
    "interrupt begins", Kprobe("dm9000_interrupt", MODULE, {"irq": "%r0"}), event="dm9000_irq"
)
interrupt_ends = role(
    "interrupt is over", Kretprobe("dm9000_interrupt", MODULE), event="dm9000_irq_end"
)
timed_out = role(
    "transmit timeout handled", Kprobe("dm9000_timeout", MODULE), event="dm9000_timeout"
)
timeout_over = role(
    "transmit timeout is over", Kretprobe("dm9000_timeout", MODULE), event="dm9000_timeout_end"
)
initialised = role("chip initialised", Kprobe("dm9000_init_dm9000", MODULE), event="dm9000_init")
polled = role("PHY polled", Kprobe("dm9000_poll_work", MODULE), event="dm9000_poll")
opened = role("interface opened", Kprobe("dm9000_open", MODULE), event="dm9000_open")
stopping = role("interface closing", Kprobe("dm9000_stop", MODULE), event="dm9000_stop")
filter_set = role(
    "address filter written", Kprobe("dm9000_hash_table_unlocked", MODULE), event="dm9000_filter"
)
suspended = role("device suspends", Kprobe("dm9000_drv_suspend", MODULE), event="dm9000_suspend")
resumed = role("device resumes", Kretprobe("dm9000_drv_resume", MODULE), event="dm9000_resume")

every_frame_is_requested: Contract = contract(
    "the chip is asked to send each frame that the driver is given", pair(given, requested)
)

every_interrupt_ends: Contract = contract("each interrupt ends", pair(interrupted, interrupt_ends))

no_timeout: Contract = contract("dm9000_timeout is never called", never(timed_out))

one_timeout_that_initialises: Contract = contract(
    "a transmit timeout initialises the chip once, and ends",
    count(timed_out, exactly=1) & pair(timed_out, timeout_over) & order(timed_out, initialised),
)

link_changes_are_polled: Contract = contract(
    "the PHY is polled at least once for each link change", count(polled, at_least=limit("changes"))
)

no_poll_once_closing: Contract = contract(
    "no poll of the PHY begins once the interface is closing",
    absent_between(polled, stopping, opened),
)

suspends_and_resumes: Contract = contract(
    "the device suspends, then resumes", order(suspended, resumed) & pair(suspended, resumed)
)

filter_is_written: Contract = contract(
    "the address filter is written", count(filter_set, at_least=1)
)
