"""Calls on PWM channels, through sysfs.   Ref: Documentation/ABI/testing/sysfs-class-pwm

A controller is named by its driver, as `samsung-pwm`, its device or pwmchipN. Times are ns.
"""
from __future__ import annotations

import os
from typing import Any, Dict, List

from drivers.agent.call import call
from drivers.uapi import pwm


@call
def identity(*, controller: str) -> Dict[str, Any]:
    """The controller's name, its number of channels, and the numbers of those that are exported."""
    path = pwm.path_of(controller)
    return {"name": os.path.basename(path), "channels": int(pwm.get(path + "/npwm")),
            "exported": pwm.exported(controller)}


@call
def export(channel: int, *, controller: str) -> None:
    """Take a channel; the refusal is the errno. `stop` gives it back."""
    pwm.put(pwm.path_of(controller) + "/export", channel)


@call
def start(channel: int, period: int, duty_cycle: int, polarity: str = "normal", *, controller: str) -> Dict[str, Any]:
    """Take a channel, set it and switch it on; its state as sysfs has it then. `stop` ends that."""
    export(channel, controller=controller)
    folder = pwm.channel_of(controller, channel)
    pwm.put(folder + "/polarity", polarity)
    pwm.put(folder + "/period", period)
    pwm.put(folder + "/duty_cycle", duty_cycle)
    pwm.put(folder + "/enable", 1)
    return pwm.state(folder)


@call
def write(channel: int, writes: List[List[Any]], *, controller: str) -> Dict[str, Any]:
    """Write [attribute, value] pairs to a channel; "errno" of each (0 when it was taken), "state" at the end."""
    folder = pwm.channel_of(controller, channel)
    errors = []
    for attribute, value in writes:
        try:
            pwm.put("%s/%s" % (folder, attribute), value)
            errors.append(0)
        except OSError as error:
            errors.append(error.errno or -1)
    return {"errno": errors, "state": pwm.state(folder)}


@call
def stop(*, controller: str) -> List[int]:
    """Switch every exported channel off, polarity normal, and give it back; their numbers."""
    channels = pwm.exported(controller)
    for channel in channels:
        folder = pwm.channel_of(controller, channel)
        pwm.put(folder + "/enable", 0)
        if pwm.get(folder + "/polarity") != "normal":
            pwm.put(folder + "/polarity", "normal")
        pwm.put(pwm.path_of(controller) + "/unexport", channel)
    return channels
