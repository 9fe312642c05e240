"""A network card: each frame that the driver is given is sent, and the chip says so.

The DM9000's driver has no tracepoints, so what it does is probed; another driver's file differs in these roles alone.
Ref: drivers/net/ethernet/davicom/dm9000.c
"""
from drivers.contract import Kprobe, Kretprobe, Tracepoint, contract, latency, never, pair, role

given = role("frame given to the driver", Tracepoint("net:net_dev_start_xmit", {"skb": "skbaddr"}))
freed = role("frame freed", Tracepoint("skb:consume_skb", {"skb": "skbaddr"}))
requested = role("chip asked to send", Kprobe("dm9000_send_packet", "dm9000", {"length": "%r2:u16"}), event="tx_asked")
interrupt_over = role("interrupt of the chip over", Kretprobe("dm9000_interrupt", "dm9000"), event="irq_over")
timed_out = role("transmission given up", Tracepoint("net:net_dev_xmit_timeout"))

each_frame_is_freed = contract(
    # Not `pair`: frames that others free, which the driver was never given, are none of this contract's.
    "each frame is freed soon", latency(given, freed, key="skb", deadline="20 ms"),
)

each_frame_is_requested = contract("the chip is asked to send each frame", pair(given, requested))

each_frame_is_completed = contract(
    "an interrupt comes after each frame that the chip was asked to send",
    latency(requested, interrupt_over, several=False, deadline="50 ms"),
)

nothing_is_given_up = contract("no transmission is given up", never(timed_out))
