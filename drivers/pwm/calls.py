"""Calls on PWM channels, through sysfs.   Ref: Documentation/ABI/testing/sysfs-class-pwm

A controller is named by its driver, as `samsung-pwm`, its device or pwmchipN.  Times are ns.
"""
from __future__ import annotations

import os
from typing import TypedDict

from drivers.agent.call import call
from drivers.uapi import pwm, sysfs


class Identity(TypedDict):
    """The controller's name, its number of channels, and the numbers of the exported ones."""

    name: str
    channels: int
    exported: list[int]


class Written(TypedDict):
    """The errno of each write, 0 for none, and the channel's attributes after the last."""

    errno: list[int]
    state: pwm.State


@call
def identity(*, controller: str) -> Identity:
    """The controller and its channels."""
    path = pwm.path_of(controller)
    return {
        "name": os.path.basename(path),
        "channels": int(sysfs.read(f"{path}/npwm")),
        "exported": pwm.exported(controller),
    }


@call
def export(channel: int, *, controller: str) -> None:
    """Export a channel; a failure is the errno.  `stop` unexports it."""
    sysfs.write(pwm.path_of(controller) + "/export", channel)


@call
def start(
    channel: int, period: int, duty_cycle: int, polarity: str = "normal", *, controller: str
) -> pwm.State:
    """Export a channel, configure and enable it; its attributes then.  `stop` ends that."""
    export(channel, controller=controller)
    folder = pwm.channel_of(controller, channel)
    sysfs.write(f"{folder}/polarity", polarity)
    sysfs.write(f"{folder}/period", period)
    sysfs.write(f"{folder}/duty_cycle", duty_cycle)
    sysfs.write(f"{folder}/enable", 1)
    return pwm.state(folder)


@call
def write(channel: int, writes: list[tuple[str, str | int]], *, controller: str) -> Written:
    """Write [attribute, value] pairs to an exported channel, whether or not one fails."""
    folder = pwm.channel_of(controller, channel)
    errors = [sysfs.write_errno(f"{folder}/{attribute}", value) for attribute, value in writes]
    return {"errno": errors, "state": pwm.state(folder)}


@call
def stop(*, controller: str) -> list[int]:
    """Disable every exported channel, restore normal polarity, and unexport it; their numbers."""
    channels = pwm.exported(controller)
    for channel in channels:
        folder = pwm.channel_of(controller, channel)
        sysfs.write(f"{folder}/enable", 0)
        if sysfs.read(f"{folder}/polarity") != "normal":
            sysfs.write(f"{folder}/polarity", "normal")
        sysfs.write(pwm.path_of(controller) + "/unexport", channel)
    return channels
