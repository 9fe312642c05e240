"""Checks that run once for each device of the board that has a driver: the cells of the life-cycle matrix.

    @pytest.mark.each_device("unbind")
    def test_a_device_…(act, device): ...

Collection touches no hardware: it takes the devices from the list that the last run kept (bench.plugin.device_list).
For devices that are not in the list each check has one stand-in, `[unbind:unlisted]`, which becomes a check for each
of them when it is run (bench.plugin.stand_in).
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from bench.plugin.device_list import DeviceList

MARK, ARGUMENT, STAND_IN = "each_device", "device", "unlisted"
NUMBER = pytest.StashKey[str]()  # names the files of a check that was not collected
Device = Mapping[str, Any]  # as drivers.lifecycle's `devices` describes one


def expand(metafunc: pytest.Metafunc, devices: DeviceList, proving: bool) -> None:
    """Give the check its devices, as its mark says: while collecting the listed ones, in a run the unlisted ones."""
    for mark in metafunc.definition.iter_markers(MARK):
        action, = mark.args
        running = devices.found is not None
        known = list(((devices.found if running else devices.listed) or {}).values())
        quick = _quick(known)
        if proving:
            able = [device for device in known if action not in device["cannot"]]
            known = sorted(able, key=lambda device: (not device["module"], not device["leaf"]))[:1]
        if running:
            known = [device for device in known if device["id"] in devices.unlisted()]
        cases = [_case(device, action, device["id"] in quick) for device in known]
        if not running and not (proving and cases):
            cases.append(pytest.param(None, id=f"{action}:{STAND_IN}"))
        metafunc.parametrize(ARGUMENT, cases, indirect=True)


def is_stand_in(item: pytest.Item) -> bool:
    """Whether a check is the stand-in for the devices that are not in the list."""
    return action_of(item) is not None and device_of(item) is None


def action_of(item: pytest.Item) -> str | None:
    """The check's action on its device; None for a check without a device."""
    mark = item.get_closest_marker(MARK)
    return str(mark.args[0]) if mark else None


def device_of(item: pytest.Item) -> str | None:
    """The id of the check's device."""
    callspec = getattr(item, "callspec", None)
    chosen = callspec.params.get(ARGUMENT) if callspec else None
    return None if chosen is None else str(chosen)


def _quick(devices: Iterable[Device]) -> set[str]:
    """The ids that a quick run covers: the first leaf device of each loaded driver."""
    first: dict[str, str] = {}
    for device in devices:
        if device["leaf"] and device["module"]:
            first.setdefault(device["driver"], device["id"])
    return set(first.values())


def _case(device: Device, action: str, quick: bool) -> Any:
    marks = [] if quick and action not in device["cannot"] else [pytest.mark.lifecycle]
    return pytest.param(device["id"], id=f"{action}:{device['driver']}/{device['id'].partition('/')[2]}", marks=marks)
