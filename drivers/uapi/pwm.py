"""Find a PWM controller and its exported channels in sysfs.

Ref: Documentation/ABI/testing/sysfs-class-pwm
"""
from __future__ import annotations

import errno
import os
import re
from typing import NamedTuple, TypedDict

from drivers.uapi import sysfs

_CLASS = "/sys/class/pwm"


class Controller(NamedTuple):
    """A controller: its name (pwmchip0), its device, and that device's driver ("" for none)."""

    name: str
    device: str
    driver: str


class State(TypedDict):
    """A channel's attributes; period and duty_cycle in ns, polarity normal or inversed."""

    period: int
    duty_cycle: int
    polarity: str
    enable: int


def controllers() -> list[Controller]:
    """Every controller, by name."""
    names = sorted(os.listdir(_CLASS)) if os.path.isdir(_CLASS) else []
    devices = [os.path.realpath(f"{_CLASS}/{name}/device") for name in names]
    return [
        Controller(name, os.path.basename(device), sysfs.driver_of(device))
        for name, device in zip(names, devices)
    ]


def path_of(controller: str) -> str:
    """The folder of the controller with this driver, device or name; ENODEV when there is none."""
    known = controllers()
    for candidate in known:
        if controller in candidate:
            return f"{_CLASS}/{candidate.name}"
    listed = ", ".join(f"{name} ({driver})" for name, _, driver in known) or "none"
    raise OSError(errno.ENODEV, f"no PWM controller {controller!r}; there are: {listed}")


def state(folder: str) -> State:
    """A channel's attributes."""
    return {
        "period": int(sysfs.read(f"{folder}/period")),
        "duty_cycle": int(sysfs.read(f"{folder}/duty_cycle")),
        "polarity": sysfs.read(f"{folder}/polarity"),
        "enable": int(sysfs.read(f"{folder}/enable")),
    }


def channel_of(controller: str, channel: int) -> str:
    """The folder of an exported channel; ENOENT when it is not exported."""
    folder = f"{path_of(controller)}/pwm{channel}"
    if not os.path.isdir(folder):
        raise OSError(errno.ENOENT, f"{controller}: channel {channel} is not exported")
    return folder


def exported(controller: str) -> list[int]:
    """The numbers of the exported channels."""
    entries = os.listdir(path_of(controller))
    return sorted(int(entry[3:]) for entry in entries if re.match(r"pwm\d+$", entry))
