"""A board held by labgrid, with its exercisers as attributes: what a bring-up script and the checks use.

    with Rig("twin210") as rig:
        print(rig.net.identity().value)
"""
from __future__ import annotations

import contextlib
import logging
import math
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from types import TracebackType
from typing import Any

from labgrid import Environment

from bench import board as boards
from bench.capture.usbmon import UsbCapture
from bench.errors import AgentDied, BenchError, BoardError, ChannelError, Hang, TwinError, UsageError
from bench.health import crash_in
from bench.rig.call import Answer, Call, Journal
from bench.rig.channel import Channel, Frame
from bench.rig.clock import DRIFT_PPM, TWIN_DRIFT_PPM, Clock
from bench.rig.exerciser import Exerciser, exercisers
from bench.rig.receive import Receiver
from bench.rig.spool import Spool
from bench.target.console import Line
from bench.trace import Trace
from fixtures import chips
from fixtures.cable import Cable
from fixtures.chip import Chip

HELLO_S = 30.0  # from the agent's start to its first frame
GREETINGS = 8  # short exchanges after boot: the clocks' offset is then known to some tenths of a millisecond
CUT_S = 0.5  # between a cut line and QEMU's end, when that is the reason


class Rig:
    """One board, powered and spoken to.  A context manager: powered off and cleaned up at its end.

    Args:
        name: a board's name, or the path of its folder

    Raises UsageError and BoardError before anything starts, Broken when the rig fails.
    """

    def __init__(self, name: str) -> None:
        self.board = boards.load(name, frozenset(exercisers()), frozenset(chips.names()))
        self.journal: Journal | None = None  # the running check's, which keeps what is called here
        self.identity: dict[str, Any] = {}
        self.clock = Clock()
        self.boots = 0
        self._dirty: Callable[[], object] | None = None
        self.progress: Callable[[int], None] = lambda size: None  # told how many bytes of pages came so far
        self._receiver = Receiver()
        self._calls = 0
        self._interrupt = False
        self._heard_ns = 0  # up to when the console was looked at for a crash; what it said at first is the boot's
        self._channel: Channel | None = None
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # labgrid only warns of an unknown key
            try:
                self._env = Environment(str(self.board.folder / "env.yaml"))
                self.target = self._env.get_target("main")
            except UserWarning as e:
                raise BoardError(f"{self.board.folder}/env.yaml:1: {e}") from e
        self.strategy = self.target.get_strategy()

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
        if self._channel is None:
            self._receiver = Receiver()
            self.clock = Clock(TWIN_DRIFT_PPM if self.twin is not None else DRIFT_PPM)
            self._channel = Channel(self.strategy.stream, self._watch)
            self._greet(self._channel.exchange(None, HELLO_S))
            journal, self.journal = self.journal, None
            for _ in range(GREETINGS):
                self.agent.noop()
            self.journal = journal
            self.boots += 1

    def mark_dirty(self, still: Callable[[], object]) -> None:
        """Say that the board is not as it was: it starts anew before the next check, if `still()` is true then."""
        self._dirty = self._dirty or still

    @property
    def dirty(self) -> bool:
        """Whether the board must start anew before anything else is asked of it."""
        if self._dirty is None:
            return False
        try:
            bad = bool(self._dirty())
        except BenchError:
            bad = True  # not even that can be asked
        if not bad:
            self._dirty = None
        return bad

    @property
    def answering(self) -> bool:
        """Whether there is an agent to talk to, without starting one."""
        return self._channel is not None

    def power_cycle(self) -> None:
        """Off, on, booted, agent: the world after a crash."""
        self.power_off()
        self.start()

    def power_off(self) -> None:
        """Off; `start` brings it back."""
        self._dirty = None
        self._drop()

    def close(self) -> None:
        """Stop the agent, power off, release labgrid's drivers."""
        if self._channel:
            with contextlib.suppress(ChannelError, Hang, TwinError, OSError):
                self._channel.exchange({"stop": True}, 0.0)
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
        """The models by device name, and by chip name (the first of each); empty on a real board."""
        if self.twin is None:
            return {}
        models = self.twin.chips
        return {**{c.name: c for c in reversed(models.values())}, **models}

    @property
    def twin(self) -> Any:
        """The twin behind this rig, None on a real board."""
        return getattr(self.strategy.power, "twin", None)

    @property
    def cable(self) -> Cable:
        """The Ethernet cable's other end."""
        if self.twin is None:
            raise UsageError("this rig has no cable object: its cable ends in the lab's network interface")
        cable = self.twin.cable
        assert isinstance(cable, Cable)
        return cable

    def console(self, since_ns: int = 0) -> list[Line]:
        """Console lines that came since the host's monotonic time `since_ns`."""
        log = self.strategy.console.log
        return log.since(since_ns) if log else []

    def call(self, call: Call) -> Iterator[Answer]:
        """Run `call`; yields once when the target listens (only then), then its Answer.

        The generator form lets the host act between the two; `Exerciser` hides it.
        """
        if self._channel is None:
            self.start()
        assert self._channel
        self._calls += 1
        request: Frame = {"id": self._calls, "call": call.name, "arguments": call.arguments}
        if call.sources:
            request["trace"] = {"sources": list(call.sources), "buffer_kb": call.buffer_kb,
                                "subbuf_kb": call.subbuf_kb}
        if call.usb_kb:
            device = {name: call.arguments[name] for name in ("vendor", "product")}
            request["recorders"] = {"usb": {**device, "ring_bytes": call.usb_kb * 1024}}
        if call.interruptible:
            request["interruptible"] = True
        self._interrupt = False
        spool = Spool(call.spool)
        sent = time.monotonic_ns()
        try:
            reply = self._reply(request, call.deadline_s, spool)
            self._settle()
            if "ready" in reply:
                with self._hearing(call, spool) as later:
                    yield Answer(call, started_ns=sent)
                reply = later()
                self._settle()
            else:
                self.clock.exchanged(sent, reply["received"], reply["sent"], reply["got"])
        except AgentDied:
            self._greet(self._channel.exchange(None, HELLO_S))
            raise
        except (Hang, ChannelError, TwinError) as e:
            try:
                if isinstance(e, ChannelError) and self.twin is not None and self.twin.ends_within(CUT_S):
                    self._watch()  # a cut line is only the first that is seen of a panic or of QEMU's death
                self._evidence()
                raise
            finally:
                self._drop()
        answer = self._answer(call, reply, spool)
        yield self.journal.add(answer) if self.journal else answer

    def interrupt(self) -> None:
        """End the call that runs, if it is interruptible; its answer says KeyboardInterrupt and has its trace.

        May be called from a signal handler or another thread: the frame goes out when the line is next looked at.
        """
        self._interrupt = True

    def _reply(self, request: Frame | None, deadline_s: float, spool: Spool) -> Frame:
        """The reply to the current call; pages that come before it go to `spool`."""
        assert self._channel
        since = time.monotonic()
        while True:
            reply = self._channel.exchange(request, deadline_s, since)
            reply["got"], request = time.monotonic_ns(), None
            if reply.get("id") != self._calls:
                continue  # an answer to an abandoned call: not ours
            if "pages" not in reply:
                return reply
            spool.add(reply["cpu"], reply["pages"])
            self.progress(spool.size)
            self._pass_on()
            if not reply["running"]:
                since = time.monotonic()  # the call has ended: what is still on its way may take its time

    @contextlib.contextmanager
    def _hearing(self, call: Call, spool: Spool) -> Iterator[Callable[[], Frame]]:
        """While the host acts, somebody must hear the target's pages: a thread, when there can be any."""
        if not call.sources:
            yield lambda: self._reply(None, call.deadline_s, spool)
            return
        assert self._channel
        channel, threads = self._channel, ThreadPoolExecutor(1, "hear")
        reply = threads.submit(self._reply, None, math.inf, spool)

        def later() -> Frame:
            try:
                return reply.result(call.deadline_s)
            except FutureTimeout:
                raise Hang(f"the target gave no answer within {call.deadline_s:g} s") from None
            finally:
                channel.give_up()
                threads.shutdown()

        try:
            yield later
        except BaseException:
            channel.give_up()
            threads.shutdown()
            raise

    def _settle(self) -> None:
        """The check may look at a chip now: what the target wrote must have reached it."""
        if self.twin is not None:
            self.twin.settle()

    def _pass_on(self) -> None:
        if self._interrupt and self._channel:
            self._interrupt = False
            self._channel.send({"interrupt": self._calls})

    def _answer(self, call: Call, reply: Frame, spool: Spool) -> Answer:
        trace = None
        raw = reply.get("trace")
        if raw is not None:
            trace = Trace(self._receiver.recording(raw, call.name, spool, reply.get("started"), reply.get("ended")))
        usb = reply.get("recorders", {}).get("usb")
        offset, error = self.clock.at(time.monotonic_ns())
        return Answer(
            call, reply.get("value"), reply.get("error"), trace,
            started_ns=reply.get("started", 0) - offset, ended_ns=reply.get("ended", 0) - offset,
            clock_offset_ns=offset, clock_error_ns=error,
            usb=usb and UsbCapture.of(usb, self.identity.get("byteorder") == "big"),
        )

    def _greet(self, hello: Frame) -> None:
        if "hello" not in hello:
            raise ChannelError(f"expected the agent's hello, got {sorted(hello)}")
        self.identity = hello["hello"]
        self._heard_ns = time.monotonic_ns()
        wanted, found = self.board.compatible, self.identity.get("compatible", [])
        if wanted not in found:
            raise BoardError(f"{self.board.folder}/board.yaml:1: compatible: the target says {found!r}, not {wanted!r}")

    def _watch(self) -> None:
        """Raise what is known of the target's death."""
        self._pass_on()
        lines = self.console(self._heard_ns)
        crash = crash_in(line.text for line in lines)
        if lines and not crash:
            self._heard_ns = lines[-1].ns
        if crash:
            raise Hang(f"the kernel crashed: {crash.text}")
        if self.twin is not None and not self.twin.alive:
            raise self.twin.death()

    def _evidence(self) -> None:
        """Have a hung kernel print its blocked tasks before the power goes."""
        if self.twin is not None and self.twin.alive:
            with contextlib.suppress(TwinError, OSError):
                self.twin.show_blocked_tasks()

    def _drop(self) -> None:
        self._channel = None
        self.strategy.transition("off")


def quiet_labgrid() -> None:
    """Keep labgrid's own log lines out of a person's terminal; warnings stay."""
    logging.getLogger("labgrid").setLevel(logging.WARNING)
