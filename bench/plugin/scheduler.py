"""Share the checks among several twins: each twin keeps to one exerciser as long as possible.

The first calls of an exerciser take an emulated processor several times as long as later ones: their code is translated
then. A twin that runs checks of every exerciser translates the code of all.

pytest-xdist's `--dist loadgroup` is unsuitable: it gives a whole group to one worker, so that the others wait for the
longest exerciser instead of helping with it, and it appends the group to every node id.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScheduling

from bench.rig.exerciser import exerciser_of

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController


class ExerciserScheduling(LoadScheduling):  # type: ignore[misc]  # pytest-xdist is untyped here
    """pytest-xdist's scheduling by load, which takes the next check of a twin's own exerciser first.

    The checks come as bench.plugin.selection sorts them, the longest first. A twin whose exerciser has none left takes
    the next exerciser that no other twin is at; when there is none, it helps with what comes first.
    """

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        super().__init__(config, log)
        self._at: dict[WorkerController, str] = {}

    def _send_tests(self, node: WorkerController, num: int) -> None:
        chosen = [self._next(node) for _ in range(min(num, len(self.pending)))]
        if chosen:
            self.node2pending[node].extend(chosen)
            node.send_runtest_some(chosen)

    def _next(self, node: WorkerController) -> int:
        others = {at for other, at in self._at.items() if other is not node}
        own = [index for index in self.pending if self._exerciser(index) == self._at.get(node)]
        free = [index for index in self.pending if self._exerciser(index) not in others]
        index: int = (own or free or self.pending)[0]
        self.pending.remove(index)
        self._at[node] = self._exerciser(index)
        return index

    def _exerciser(self, index: int) -> str:
        assert self.collection is not None
        return exerciser_of(str(self.collection[index]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ExerciserScheduling | None:
    """Schedule by exerciser unless another --dist was asked for."""
    return ExerciserScheduling(config, log) if config.getoption("dist") == "load" else None
