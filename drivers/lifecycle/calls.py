"""Calls on any device with a driver, found in sysfs.

Ref: Documentation/driver-api/driver-model/binding.rst
"""
from __future__ import annotations

import errno
import time
from typing import TypedDict

from drivers.agent.call import call
from drivers.lifecycle import actions, applicable, protected
from drivers.lifecycle.snapshot import Snapshot, take
from drivers.lifecycle.transaction import Result, Transaction
from drivers.uapi.devices import Device, all_nodes, below, bound, find, nodes_below

SETTLE_S, STILL_S = 3.0, 0.25

__all__ = ["devices", "run_action", "snapshot"]


class BoundDevice(TypedDict):
    """A device with a driver, and what can be done to it."""

    id: str  # bus/name
    bus: str
    name: str
    path: str  # in /sys/devices
    driver: str
    module: str  # "" for a driver that is built in
    nodes: list[str]  # in /dev, and interfaces as net:eth0
    leaf: bool  # no other bound device is below it
    cannot: dict[str, str]  # action → why it is not applicable to this device


@call
def devices() -> list[BoundDevice]:
    """Each device that has a driver, by bus and name."""
    settled = _settled()
    reserved = protected.reasons(settled)
    nodes = all_nodes()
    return [
        {
            "id": device.id,
            "bus": device.bus,
            "name": device.name,
            "path": device.path,
            "driver": device.driver,
            "module": device.module,
            "nodes": nodes_below(device.path, nodes),
            "leaf": not any(
                below(device.path, other.path) for other in settled if other is not device
            ),
            "cannot": applicable.not_applicable(device, settled, reserved),
        }
        for device in settled
    ]


def _settled() -> list[Device]:
    """The bound devices, once no more are added: a bus may still be enumerating."""
    deadline = time.monotonic() + SETTLE_S
    devices = bound()
    while time.monotonic() < deadline:
        time.sleep(STILL_S)
        before, devices = devices, bound()
        if devices == before:
            break
    return devices


@call
def run_action(device: str, action: str) -> Result:
    """Run an action of the matrix on the device with this id, undo it, and
    return what each step did.

    ENODEV when there is no such device; EBUSY, with the reason, when the action is not applicable.
    """
    target = find(device)
    others = bound()
    why = applicable.not_applicable(target, others, protected.reasons(others)).get(action)
    if why or not target.driver:
        raise OSError(errno.EBUSY, f"{device}: {why or 'it has no driver'}")
    change = Transaction(target)
    try:
        actions.ACTIONS[action](change)
    finally:
        restored = change.restore()
    return change.result(restored)


@call
def snapshot() -> Snapshot:
    """What the kernel holds now, as `run_action` returns it for before, during and after."""
    return take()
