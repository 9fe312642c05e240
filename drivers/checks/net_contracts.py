"""What the kernel's trace must show of any network interface.

Ref: include/trace/events/{net,irq}.h

Bind `interface` (its name), `irq` (its line) or `frames` (how many) before use.
"""
from __future__ import annotations

from drivers.contract import (
    Contract,
    Kprobe,
    Tracepoint,
    contract,
    count,
    every,
    limit,
    never,
    other_than,
    pair,
    role,
)

OURS = limit("interface")

queued = role("frame queued", Tracepoint("net:net_dev_queue", fields={"skb": "skbaddr"})).where(
    name=OURS
)
given = role(
    "frame given to the driver", Tracepoint("net:net_dev_start_xmit", fields={"skb": "skbaddr"})
).where(name=OURS)
answered = role("driver's answer", Tracepoint("net:net_dev_xmit", fields={"skb": "skbaddr"})).where(
    name=OURS
)
received = role(
    "frame received by the driver", Tracepoint("net:netif_rx", fields={"skb": "skbaddr"})
).where(name=OURS)
delivered = role(
    "frame given to the protocols", Tracepoint("net:netif_receive_skb", fields={"skb": "skbaddr"})
).where(name=OURS)
timed_out = role("transmit timeout", Tracepoint("net:net_dev_xmit_timeout")).where(name=OURS)
irq_begins = role("interrupt handler begins", Tracepoint("irq:irq_handler_entry")).where(
    irq=limit("irq")
)
irq_ends = role("interrupt handler ends", Tracepoint("irq:irq_handler_exit")).where(
    irq=limit("irq")
)
carrier_on = role("carrier comes", Kprobe("netif_carrier_on", fields={"dev": "%r0"}))
carrier_off = role("carrier goes", Kprobe("netif_carrier_off", fields={"dev": "%r0"}))

every_frame_is_taken: Contract = contract(
    "every queued frame is given to the driver, which takes it",
    pair(queued, given, key="skb", several=True)
    & pair(given, answered, key="skb", several=True)
    & never(answered.where(rc=other_than(0))),
)

frames_are_given: Contract = contract(
    "the driver is given just these frames",
    count(given, exactly=limit("frames")) & count(answered, exactly=limit("frames")),
)

frames_are_received: Contract = contract(
    "each frame on the wire comes through the driver to the protocols once",
    count(received, exactly=limit("frames")) & count(delivered, exactly=limit("frames")),
)

nothing_is_received: Contract = contract("the driver receives nothing", never(received))

no_transmit_timeout: Contract = contract("no transmission times out", never(timed_out))

one_transmit_timeout: Contract = contract("one transmission times out", count(timed_out, exactly=1))

interrupts_are_handled: Contract = contract(
    "each interrupt is handled to its end by the driver",
    pair(irq_begins, irq_ends, key="irq", several=True) & every(irq_ends, ret=1),
)
