"""What the kernel's GPIO events must show.

Ref: include/trace/events/gpio.h; drivers/gpio/gpio-virtio.c
"""
from __future__ import annotations

from drivers.contract import (
    Kprobe,
    Kretprobe,
    Tracepoint,
    conserve,
    contract,
    count,
    every,
    latency,
    limit,
    never,
    order,
    other_than,
    pair,
    role,
    seen,
)

direction = role("direction of a line", Tracepoint("gpio:gpio_direction"))
value = role("value of a line", Tracepoint("gpio:gpio_value"))
requested = role(
    "request to the controller",
    Kprobe("_virtio_gpio_req", module="gpio_virtio", fields={"type": "%r1:u16", "line": "%r2:u16"}),
    event="gpio_request",
)
answered = role(
    "controller's answer",
    Kretprobe("_virtio_gpio_req", module="gpio_virtio", fields={"ret": "$retval:s32"}),
    event="gpio_answer",
)
interrupt = role(
    "interrupt of the event queue",
    Kprobe("virtio_gpio_event_vq", module="gpio_virtio"),
    event="gpio_event",
)

every_direction_change_succeeds = contract(
    "every direction change succeeds", every(direction, err=0) & seen(direction)
)
direction_is_set_before_the_values = contract(
    "the direction is set to output before the values",
    order(direction.where(**{"in": 0}), value.where(get=0)),
)
values_are_set = contract(
    "this many values are set", count(value.where(get=0), exactly=limit("times"))
)
every_request_is_answered = contract(
    "every request to the controller is answered", pair(requested, answered)
)
no_request_fails = contract(
    "no request to the controller fails", never(answered.where(ret=other_than(0)))
)
controller_answers_in_time = contract(
    "the controller answers within the limit", latency(requested, answered, max=limit("most"))
)
as_many_answers_as_requests = contract(
    "there are as many answers as requests", conserve(requested, answered)
)
