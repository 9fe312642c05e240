"""What the kernel's PWM events must show.   Ref: include/trace/events/pwm.h"""
from __future__ import annotations

from drivers.contract import (
    Tracepoint,
    contract,
    count,
    every,
    limit,
    never,
    other_than,
    role,
    seen,
)

applied = role("state given to the driver", Tracepoint("pwm:pwm_apply"))

every_state_is_applied = contract(
    "the driver applies every state", never(applied.where(err=other_than(0))) & seen(applied)
)
state_is_rejected = contract(
    "the driver rejects a state with this error", seen(applied.where(err=limit("error")))
)
requested_state_is_enabled = contract(
    "the requested state is applied and enabled",
    seen(applied.where(enabled=1, period=limit("period"), duty_cycle=limit("duty_cycle"))),
)
channel_is_disabled = contract("the channel is disabled", seen(applied.where(enabled=0)))
no_other_channel_is_changed = contract(
    "no other channel is changed", every(applied, hwpwm=limit("channel"))
)
this_many_states = contract("this many states are applied", count(applied, exactly=limit("times")))
