"""Calls on any device with a driver, found from sysfs.   Ref: Documentation/driver-api/driver-model/binding.rst"""
from __future__ import annotations

import errno
import time
from typing import Any, Dict, List

from drivers.agent.call import call
from drivers.lifecycle import actions, applicable, protected, snapshot
from drivers.lifecycle.transaction import Act
from drivers.uapi.devices import Device, all_nodes, below, bound, find, nodes_below

SETTLE_S, STILL_S = 3.0, 0.25

__all__ = ["act", "devices", "look"]


@call
def devices() -> List[Dict[str, Any]]:
    """Each device that has a driver, by bus and name.

    id (bus/name), bus, name, path in /sys, driver, module ("" for a driver that is built in), nodes in /dev and
    interfaces, leaf (no other device hangs on it), and cannot: action → why it cannot be done to this device.
    """
    found = _settled()
    kept = protected.reasons(found)
    known = all_nodes()
    return [
        {
            "id": device.id, "bus": device.bus, "name": device.name, "path": device.path,
            "driver": device.driver, "module": device.module,
            "nodes": nodes_below(device.path, known),
            "leaf": not any(below(device.path, other.path) for other in found if other is not device),
            "cannot": applicable.cannot(device, found, kept),
        }
        for device in found
    ]


def _settled() -> List[Device]:
    """What is bound, when nothing more comes: a bus may still be looking for its devices."""
    deadline = time.monotonic() + SETTLE_S
    found = bound()
    while time.monotonic() < deadline:
        time.sleep(STILL_S)
        before, found = found, bound()
        if found == before:
            break
    return found


@call
def act(device: str, action: str) -> Dict[str, Any]:
    """Do `action` to the device with this id, and undo it; what each step came to and the kernel's state around it.

    ENODEV when there is no such device, EBUSY, with the reason, where the action must not be done to it.
    """
    found = find(device)
    others = bound()
    refused = applicable.cannot(found, others, protected.reasons(others)).get(action)
    if refused or not found.driver:
        raise OSError(errno.EBUSY, "%s: %s" % (device, refused or "it has no driver"))
    one = Act(found)
    try:
        actions.ACTIONS[action](one)
    finally:
        restored = one.restore()
    return {**one.told(), "restored": restored}


@call
def look() -> Dict[str, Any]:
    """What the kernel holds now, as `act` tells it before, during and after."""
    return snapshot.look()
