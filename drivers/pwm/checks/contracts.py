"""What the kernel's PWM events must show.   Ref: include/trace/events/pwm.h"""
from __future__ import annotations

from drivers.contract import Tracepoint, contract, count, every, limit, never, other_than, role, seen

applied = role("state given to the driver", Tracepoint("pwm:pwm_apply"))

every_state_is_taken = contract("the driver takes every state", never(applied.where(err=other_than(0))) & seen(applied))
the_state_was_refused = contract("the driver refuses a state", seen(applied.where(err=limit("error"))))
it_runs_as_asked = contract(
    "the last state that runs is the one asked for",
    seen(applied.where(enabled=1, period=limit("period"), duty_cycle=limit("duty_cycle"))))
it_is_switched_off = contract("it is switched off", seen(applied.where(enabled=0)))
only_this_channel = contract("no other channel is touched", every(applied, hwpwm=limit("channel")))
so_many_states = contract("so many states are given", count(applied, exactly=limit("times")))
