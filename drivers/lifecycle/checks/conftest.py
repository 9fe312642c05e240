"""One cell of the matrix: an action on a device, and the board as it was afterwards."""
from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from drivers.lifecycle.checks.diff import changes, refused


class Result(dict[str, Any]):
    """What `lifecycle.run_action` returned, with the assertions that every check makes."""

    def nothing_refused(self) -> Result:
        """Every step ended in time, without an errno."""
        assert refused(self["steps"]) == []
        return self

    def nothing_changed(self) -> Result:
        """The kernel holds what it held before."""
        assert changes(self["before"], self["after"]) == []
        return self


@pytest.fixture
def run_action(lifecycle: Any, device: Any, rig: Any) -> Iterator[Callable[[str], Result]]:
    """Run an action on the device; a device that does not come back as it
    was has the board rebooted.
    """
    results: list[Result] = []

    def run(action: str) -> Result:
        answer = lifecycle.timeout(60.0).run_action(device=device["id"], action=action)
        if answer.errno == errno.EBUSY:  # not now: a device below it is active at the moment
            pytest.skip(answer.error["text"].partition(": ")[2])
        results.append(Result(answer.value))
        return results[-1]

    yield run
    # Compared before the next check, when a seeded bug is removed again.
    for result in results:
        rig.mark_dirty(lambda result=result: changes(result["before"], lifecycle.snapshot().value))
