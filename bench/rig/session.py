"""A session with one agent: calls go out, answers come back, from its hello until the board is powered off."""
from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

from bench.errors import AgentDied, Broken, ChannelError, Hang
from bench.health import crash_in
from bench.rig import recorders
from bench.rig.call import Answer, Call
from bench.rig.channel import Channel, Frame
from bench.rig.clock import Clock
from bench.rig.receive import Receiver
from bench.rig.spool import Spool
from bench.target.protocol import BoardAccess
from bench.trace import Trace

HELLO_S = 30.0  # from the agent's start to its first frame
ROUND_TRIPS = 8  # short exchanges after boot: the clocks' offset is then known to some tenths of a millisecond
CUT_S = 0.5  # between a broken connection and the target's death that caused it


class Session:
    """The frames to and from an agent, and the state kept between them: identity, clock, cached recorder data.

    Args:
        board: the board, whose agent has just been started
        progress: called with the number of bytes of trace pages that came so far

    Raises Broken when the agent does not say hello.
    """

    def __init__(self, board: BoardAccess, progress: Callable[[int], None]) -> None:
        self.identity: dict[str, Any] = {}
        self.clock = Clock(board.drift_ppm)
        self._board, self._progress = board, progress
        self._receiver = Receiver()
        self._calls = 0
        self._interrupt = False
        self._watched_ns = time.monotonic_ns()  # the console was searched for a crash up to here
        self._channel = Channel(board.agent, self._watch)
        self._hello()
        for _ in range(ROUND_TRIPS):
            for _ in self.call(Call("agent", "noop")):
                pass

    def call(self, call: Call) -> Iterator[Answer]:
        """Run `call`; yields an Answer that has not ended when the target listens (only then), then its Answer.

        The generator form lets the host act between the two; `Exerciser` hides it.
        """
        self._calls += 1
        self._interrupt = False
        spool = Spool(call.spool)
        sent = time.monotonic_ns()
        try:
            reply = self._reply(self._request(call), call.deadline_s, spool)
            self._board.settle()  # the check may read a chip now: the target's posted writes must have reached it
            if "ready" in reply:
                with self._receiving(call, spool) as later:
                    yield Answer(call, started_ns=sent)
                reply = later()
                self._board.settle()
            else:
                self.clock.exchanged(sent, reply["received"], reply["sent"], reply["got"])
        except AgentDied:
            self._hello()
            raise
        except (Hang, Broken) as e:
            if isinstance(e, ChannelError):
                self._raise_cause_of_death()
            with contextlib.suppress(Broken, OSError):
                self._board.show_blocked_tasks()
            raise
        yield self._answer(call, reply, spool)

    def interrupt(self) -> None:
        """End the call that runs, if it is interruptible; its answer says KeyboardInterrupt and has its trace.

        May be called from a signal handler or another thread: the frame is sent at the next poll of the channel.
        """
        self._interrupt = True

    def stop(self) -> None:
        """Stop the agent."""
        with contextlib.suppress(Broken, Hang, OSError):
            self._channel.exchange({"stop": True}, 0.0)

    def _raise_cause_of_death(self) -> None:
        """A broken connection is the first symptom of a panic, of QEMU's death or of ssh's end: raise that instead."""
        if self._board.ends_within(CUT_S):
            self._watch()

    def _hello(self) -> None:
        try:
            hello = self._channel.exchange(None, HELLO_S)
        except ChannelError:
            self._raise_cause_of_death()
            raise
        if "hello" not in hello:
            raise ChannelError(f"expected the agent's hello, got {sorted(hello)}")
        self.identity.update(hello["hello"])
        self._watched_ns = time.monotonic_ns()

    def _request(self, call: Call) -> Frame:
        request: Frame = {"id": self._calls, "call": call.name, "arguments": call.arguments}
        if call.sources:
            request["trace"] = {"sources": list(call.sources), "buffer_kb": call.buffer_kb,
                                "subbuf_kb": call.subbuf_kb}
        if call.recorders:
            request["recorders"] = {name: dict(settings) for name, settings in call.recorders.items()}
        if call.interruptible:
            request["interruptible"] = True
        return request

    def _reply(self, request: Frame | None, deadline_s: float, spool: Spool) -> Frame:
        """The reply to the current call; pages that come before it go to `spool`."""
        since = time.monotonic()
        while True:
            reply = self._channel.exchange(request, deadline_s, since)
            reply["got"], request = time.monotonic_ns(), None
            if reply.get("id") != self._calls:
                continue  # a late answer to an abandoned call
            if "pages" not in reply:
                return reply
            spool.add(reply["cpu"], reply["pages"])
            self._progress(spool.size)
            self._pass_on()
            if not reply["running"]:
                since = time.monotonic()  # the call has ended: no deadline for data still in transit

    @contextlib.contextmanager
    def _receiving(self, call: Call, spool: Spool) -> Iterator[Callable[[], Frame]]:
        """Read the target's pages while the host acts, in a thread if there can be any."""
        if not call.sources:
            yield lambda: self._reply(None, call.deadline_s, spool)
            return
        threads = ThreadPoolExecutor(1, "pages")
        reply = threads.submit(self._reply, None, math.inf, spool)

        def later() -> Frame:
            try:
                return reply.result(call.deadline_s)
            except FutureTimeout:
                raise Hang(f"the target gave no answer within {call.deadline_s:g} s") from None
            finally:
                self._channel.give_up()
                threads.shutdown()

        try:
            yield later
        except BaseException:
            self._channel.give_up()
            threads.shutdown()
            raise

    def _pass_on(self) -> None:
        if self._interrupt:
            self._interrupt = False
            self._channel.send({"interrupt": self._calls})

    def _answer(self, call: Call, reply: Frame, spool: Spool) -> Answer:
        trace = None
        raw = reply.get("trace")
        if raw is not None:
            trace = Trace(self._receiver.recording(raw, call.name, spool, reply.get("started"), reply.get("ended")))
        big_endian = self.identity.get("byteorder") == "big"
        offset, error = self.clock.at(time.monotonic_ns())
        return Answer(
            call, reply.get("value"), reply.get("error"), trace,
            started_ns=reply.get("started", 0) - offset, ended_ns=reply.get("ended", 0) - offset,
            clock_offset_ns=offset, clock_error_ns=error,
            captures={name: recorders.capture_of(name, recorded, big_endian)
                      for name, recorded in reply.get("recorders", {}).items()},
        )

    def _watch(self) -> None:
        """While an exchange waits: forward an interrupt, and raise if the target is dead."""
        self._pass_on()
        console = self._board.console
        lines = console.since(self._watched_ns) if console else []
        crash = crash_in(line.text for line in lines)
        if crash:
            raise Hang(f"the kernel crashed: {crash.text}")
        if lines:
            self._watched_ns = lines[-1].ns
        if not self._board.alive:
            raise self._board.death()
