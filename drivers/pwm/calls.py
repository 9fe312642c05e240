"""Calls on PWM channels, through sysfs.   Ref: Documentation/ABI/testing/sysfs-class-pwm

A controller is named by its driver, as `samsung-pwm`, its device or pwmchipN. Times are ns.
"""
from __future__ import annotations

import os
from typing import Any, Dict, List

from drivers.call import call
from drivers.pwm import sysfs


@call
def identity(*, controller: str) -> Dict[str, Any]:
    """The controller's name, its number of channels, and the numbers of those that are exported."""
    path = sysfs.path_of(controller)
    return {"name": os.path.basename(path), "channels": int(sysfs.get(path + "/npwm")),
            "exported": sysfs.exported(controller)}


@call
def export(channel: int, *, controller: str) -> None:
    """Take a channel; the refusal is the errno. `stop` gives it back."""
    sysfs.put(sysfs.path_of(controller) + "/export", channel)


@call
def start(channel: int, period: int, duty_cycle: int, polarity: str = "normal", *, controller: str) -> Dict[str, Any]:
    """Take a channel, set it and switch it on; its state as sysfs has it then. `stop` ends that."""
    export(channel, controller=controller)
    folder = sysfs.channel_of(controller, channel)
    sysfs.put(folder + "/polarity", polarity)
    sysfs.put(folder + "/period", period)
    sysfs.put(folder + "/duty_cycle", duty_cycle)
    sysfs.put(folder + "/enable", 1)
    return sysfs.state(folder)


@call
def write(channel: int, writes: List[List[Any]], *, controller: str) -> Dict[str, Any]:
    """Write [attribute, value] pairs to a channel; "errno" of each (0 when it was taken), "state" at the end."""
    folder = sysfs.channel_of(controller, channel)
    errors = []
    for attribute, value in writes:
        try:
            sysfs.put("%s/%s" % (folder, attribute), value)
            errors.append(0)
        except OSError as error:
            errors.append(error.errno or -1)
    return {"errno": errors, "state": sysfs.state(folder)}


@call
def stop(*, controller: str) -> List[int]:
    """Switch every exported channel off, polarity normal, and give it back; their numbers."""
    channels = sysfs.exported(controller)
    for channel in channels:
        folder = sysfs.channel_of(controller, channel)
        sysfs.put(folder + "/enable", 0)
        if sysfs.get(folder + "/polarity") != "normal":
            sysfs.put(folder + "/polarity", "normal")
        sysfs.put(sysfs.path_of(controller) + "/unexport", channel)
    return channels
