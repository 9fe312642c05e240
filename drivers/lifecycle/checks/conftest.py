"""One cell of the matrix: an action on a device, and the board as it was afterwards."""
from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from drivers.lifecycle.checks.diff import changes, refused


class Result(dict):  # type: ignore[type-arg]
    """What `act` answered, with the words that every check wants."""

    def nothing_refused(self) -> Result:
        """Every step was done by the kernel, in time."""
        assert refused(self["steps"]) == []
        return self

    def nothing_changed(self) -> Result:
        """The kernel holds what it held before."""
        assert changes(self["before"], self["after"]) == []
        return self


@pytest.fixture
def act(lifecycle: Any, device: Any, rig: Any) -> Iterator[Callable[[str], Result]]:
    """Do an action to the device; what does not come back as it was makes the board start anew."""
    done: list[Result] = []

    def run(action: str) -> Result:
        answer = lifecycle.timeout(60.0).act(device=device["id"], action=action)
        if answer.errno == errno.EBUSY:  # not now, as a device below it is awake at the moment
            pytest.skip(answer.error["text"].partition(": ")[2])
        done.append(Result(answer.value))
        return done[-1]

    yield run
    # Asked before the next check, when a bug that was planted is out again.
    for one in done:
        rig.mark_dirty(lambda one=one: changes(one["before"], lifecycle.look().value))
