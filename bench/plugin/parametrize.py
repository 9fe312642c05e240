"""Checks for what only the running board knows: one for each thing that a call answers.

    @pytest.mark.for_each("device", "lifecycle.devices", "unbind")
    def test_a_device_…(act, device): ...

The call answers a list of {"id", "cannot": {action: why}, …}. The board is booted for it while checks are collected.
"""
from __future__ import annotations

from typing import Any

import pytest

from bench.errors import BenchError
from bench.plugin.checks import Checks


def expand(metafunc: pytest.Metafunc, plugin: Checks) -> None:
    """Give the check its cases, as its mark says."""
    for mark in metafunc.definition.iter_markers("for_each"):
        argument, call, action = mark.args
        try:
            things = [] if plugin.config.option.collectonly else plugin.things(call)
        except BenchError as e:
            # The board is broken: said by the check, which fails as every other one does.
            metafunc.parametrize(argument, [pytest.param({"broken": str(e)}, id=action)])
            continue
        if plugin.proving:
            things = [thing for thing in things if action not in thing["cannot"]]
            things = sorted(things, key=lambda thing: (not thing["module"], not thing["leaf"]))[:1]
        quick = _quick(things)
        metafunc.parametrize(argument, [_case(thing, action, thing["id"] in quick) for thing in things])


def _quick(things: list[dict[str, Any]]) -> set[str]:
    """The ids of those that are enough for an acceptance: the first of each loaded driver on which nothing hangs."""
    first: dict[str, str] = {}
    for thing in things:
        if thing["leaf"] and thing["module"]:
            first.setdefault(thing["driver"], thing["id"])
    return set(first.values())


def _case(thing: dict[str, Any], action: str, quick: bool) -> Any:
    marks = []
    why = thing["cannot"].get(action)
    if why:
        marks.append(pytest.mark.skip(why))
    if why or not quick:
        marks.append(pytest.mark.lifecycle)
    return pytest.param(thing, id=f"{action}:{thing['driver']}/{thing['id'].partition('/')[2]}", marks=marks)
