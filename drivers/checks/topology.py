"""Which device is below which, from what `lifecycle.devices` returns."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def bound_parent(devices: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    """The nearest ancestor of `name` that has a driver, as a bus's
    controller. LookupError for none.
    """
    path = next(device["path"] for device in devices if device["name"] == name)
    ancestors = [device for device in devices if path.startswith(device["path"] + "/")]
    if not ancestors:
        raise LookupError(f"{name} is below no device that has a driver")
    return max(ancestors, key=lambda device: len(device["path"]))
