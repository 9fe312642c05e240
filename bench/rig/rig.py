"""A board held by labgrid, with its exercisers as attributes: what a bring-up script and the checks use.

    with Rig("twin210") as rig:
        print(rig.net.identity().value)
"""
from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from bench import board as boards
from bench.errors import AgentDied, BenchError, BoardError, Broken, Hang, UsageError
from bench.rig.call import Answer, Call, Journal
from bench.rig.clock import Clock
from bench.rig.exerciser import Exerciser, exercisers
from bench.rig.session import Session
from bench.target.console import Line
from bench.target.protocol import BoardAccess
from fixtures import chips
from fixtures.cable import Cable
from fixtures.chip import Chip


class Rig:
    """One board, powered and connected to its agent.  A context manager: powered off and cleaned up at its end.

    Args:
        name: a board's name, or the path of its folder

    Raises UsageError and BoardError before anything starts, Broken when the rig fails.
    """

    def __init__(self, name: str) -> None:
        self.board = boards.load(name, frozenset(exercisers()), frozenset(chips.names()))
        self.journal: Journal | None = None  # of the running check
        self.identity: dict[str, Any] = {}
        self.clock = Clock()  # the session's, which outlives it for the answers of a check that ended with it
        self.boots = 0
        self._dirty: Callable[[], object] | None = None
        self.progress: Callable[[int], None] = lambda size: None  # called with the bytes of trace pages so far
        self._session: Session | None = None
        self.target = _target(self.board.folder / "env.yaml")
        self.strategy = self.target.get_strategy()
        self.access: BoardAccess = self.strategy.board  # what the board has beside calls

    def __enter__(self) -> Rig:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Power on, boot and start the agent; does nothing when the agent answers already."""
        self.strategy.transition("agent")
        if self._session is None:
            try:
                self._session = self._greeted()
            except BaseException:
                self._drop()
                raise
            self.boots += 1

    def _greeted(self) -> Session:
        """A session with an agent that runs on the right kind of board."""
        session = Session(self.access, self._progressed)
        self.identity, self.clock = session.identity, session.clock
        wanted, reported = self.board.compatible, self.identity.get("compatible", [])
        if wanted not in reported:
            at = f"{self.board.folder}/board.yaml:1: compatible"
            raise BoardError(f"{at}: the target says {reported!r}, not {wanted!r}")
        return session

    def mark_dirty(self, still: Callable[[], object]) -> None:
        """Mark the board dirty: it is rebooted before the next check if `still()` holds by then."""
        self._dirty = self._dirty or still

    @property
    def dirty(self) -> bool:
        """Whether the board must be rebooted before the next check."""
        if self._dirty is None:
            return False
        try:
            bad = bool(self._dirty())
        except BenchError:
            bad = True  # no answer: dirty
        if not bad:
            self._dirty = None
        return bad

    @property
    def answering(self) -> bool:
        """Whether an agent is running; does not start one."""
        return self._session is not None

    def power_cycle(self) -> None:
        """Power off, power on, boot and start the agent, as after a crash."""
        self.power_off()
        self.start()

    def power_off(self) -> None:
        """Power off; `start` powers on again."""
        self._dirty = None
        self._drop()

    def close(self) -> None:
        """Stop the agent, power off, release labgrid's drivers."""
        if self._session:
            self._session.stop()
        self._drop()
        self.target.cleanup()

    def __getattr__(self, name: str) -> Exerciser:
        if name.startswith("_") or name not in exercisers():
            raise AttributeError(str(UsageError.unknown("exerciser", name, exercisers())))
        return self.exerciser(name)

    def exerciser(self, name: str, device: str | None = None) -> Exerciser:
        """The calls of drivers/`name`, with the arguments of the board's `device` (the first that has it) filled in."""
        having = self.board.with_exerciser(name)
        chosen = next((d for d in having if device in (None, d.name)), None)
        if device and chosen is None:
            raise UsageError.unknown(f"{name} device", device, (d.name for d in having))
        return Exerciser(self, name, chosen)

    def chip(self, name: str) -> Chip:
        """The model of chip `name`.  Raises UsageError where there is none (on a real board, always)."""
        known = self.chips
        if name not in known:
            raise UsageError.unknown("chip", name, known)
        return known[name]

    @property
    def chips(self) -> dict[str, Chip]:
        """The chip models by device name, and by chip name (the first of each); empty where the chips are real."""
        models = self.access.chips
        return {**{c.name: c for c in reversed(list(models.values()))}, **models}

    @property
    def cables(self) -> Mapping[str, Cable]:
        """The Ethernet cables whose far end the bench holds, by name; empty where they end in the lab's network."""
        return self.access.cables

    @property
    def cable(self) -> Cable:
        """The board's only cable, or the first.  Raises UsageError where the bench holds none."""
        for cable in self.cables.values():
            return cable
        raise UsageError("this rig has no cable object: its cable ends in the lab's network interface")

    def console(self, since_ns: int = 0) -> list[Line]:
        """Console lines that came since the host's monotonic time `since_ns`."""
        log = self.access.console
        return log.since(since_ns) if log else []

    def call(self, call: Call) -> Iterator[Answer]:
        """Run `call`, starting the board if it is off; see Session.call.  The board is off after Hang and Broken."""
        if self._session is None:
            self.start()
        assert self._session
        try:
            for answer in self._session.call(call):
                yield self.journal.add(answer) if self.journal and answer.ended_ns else answer
        except AgentDied:
            raise  # it was restarted
        except (Hang, Broken):
            self._drop()
            raise

    def interrupt(self) -> None:
        """End the call that runs; see Session.interrupt."""
        if self._session:
            self._session.interrupt()

    def _progressed(self, size: int) -> None:
        self.progress(size)

    def _drop(self) -> None:
        self._session = None
        self.strategy.transition("off")


def _target(path: Path) -> Any:
    """labgrid's target of an environment.  Raises BoardError for what labgrid refuses, or only warns of."""
    from labgrid import Environment

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # labgrid only warns of an unknown key
        try:
            target = Environment(str(path)).get_target("main")
            target.get_strategy()
        except Exception as e:
            raise BoardError(f"{path}:1: {' '.join(str(e).split()) or type(e).__name__}{_missing(str(e))}") from e
    return target


def _missing(text: str) -> str:
    """The hint for an environment in which a driver has no supplier."""
    wants = {"PowerProtocol": "a driver that switches power (e.g. NetworkPowerDriver, ExternalPowerDriver)",
             "ConsoleProtocol": "a driver of the console (e.g. SerialDriver)", "Strategy": "BenchStrategy: {}"}
    return next((f"; add {what} to drivers:" for name, what in wants.items() if name in text), "")


def quiet_labgrid() -> None:
    """Keep labgrid's log below WARNING off the terminal."""
    logging.getLogger("labgrid").setLevel(logging.WARNING)
