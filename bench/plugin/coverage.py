"""Which functions of the board's drivers the checks enter: read from the agent after each check, kept in its record."""
from __future__ import annotations

from bench.board import Board
from bench.rig import Rig
from bench.store import Covered


class Watch:
    """The coverage of one run; coverage is started again after each boot and each restart of the agent."""

    def __init__(self, board: Board) -> None:
        self.drivers = sorted({device.driver for device in board.devices})
        self.modules: dict[str, str] = {}  # driver → module, "" for one that has none
        self.missing = ""  # why coverage cannot be recorded
        self._watched: tuple[int, int] | None = None  # the boot, and the agent's process
        self._recorded: dict[str, tuple[str, ...]] = {}  # module → its functions as they are in the record

    def begin(self, rig: Rig) -> None:
        """Before a check, and before its health snapshot: start to watch, unless running already."""
        if self._watched != self._agent(rig) and not self.missing:
            answer = rig.agent.cover(drivers=self.drivers)
            if answer.errno:
                self.missing = answer.error["text"] if answer.error else ""
                return
            self.modules = answer.value
            self._watched = self._agent(rig)

    def end(self, rig: Rig, alive: bool) -> tuple[Covered, ...]:
        """After a check; after the death of target or agent the entered functions are unknown: one entry is lost.

        `alive`: whether the target answers.
        """
        if not alive or self._watched != self._agent(rig):
            self._watched = None
            return tuple(Covered(module, lost=1) for module in self._names)
        collected = rig.agent.covered().value
        return tuple(self._covered(module, collected) for module in self._names)

    @property
    def _names(self) -> list[str]:
        return sorted({module for module in self.modules.values() if module})

    def _covered(self, module: str, collected: dict[str, dict[str, list[str]]]) -> Covered:
        functions = tuple(collected["functions"].get(module, ()))
        new = functions if functions != self._recorded.get(module) else ()
        self._recorded[module] = functions
        return Covered(module, tuple(collected["entered"].get(module, ())), new, int(str(collected["lost"])))

    @staticmethod
    def _agent(rig: Rig) -> tuple[int, int]:
        return rig.boots, int(rig.identity.get("pid", 0))
