"""A network card: each frame that the driver is given is sent, and the chip raises an interrupt for it.

The DM9000's driver has no tracepoints, so its functions are probed; for another driver only these roles change.
Ref: drivers/net/ethernet/davicom/dm9000.c
"""
from drivers.contract import Kprobe, Kretprobe, Tracepoint, contract, latency, never, pair, role

given = role("frame given to the driver", Tracepoint("net:net_dev_start_xmit", {"skb": "skbaddr"}))
freed = role("frame freed", Tracepoint("skb:consume_skb", {"skb": "skbaddr"}))
requested = role("transmit request", Kprobe("dm9000_send_packet", "dm9000", {"length": "%r2:u16"}), event="tx_asked")
handled = role("return of the interrupt handler", Kretprobe("dm9000_interrupt", "dm9000"), event="irq_over")
timed_out = role("transmit timeout", Tracepoint("net:net_dev_xmit_timeout"))

each_frame_is_freed = contract(
    # Not `pair`: frames that never went through the driver are freed, too.
    "each frame is freed soon", latency(given, freed, key="skb", deadline="20 ms"),
)

each_frame_is_requested = contract("the driver requests the transmission of each frame", pair(given, requested))

each_frame_is_completed = contract(
    "each transmit request is followed by an interrupt",
    latency(requested, handled, several=False, deadline="50 ms"),
)

nothing_times_out = contract("no transmission times out", never(timed_out))
