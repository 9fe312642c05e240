"""Calls, answers and the journal of a check: the request, its answer and the contracts' verdicts on it.

State flows one way: a Call gives an Answer, a contract gives a Verdict of it, and the running check's Journal keeps
both; nothing else collects answers or verdicts.
"""
from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.capture import Capture
from bench.errors import Broken, TargetError, UsageError
from bench.judge.judge import judge
from bench.rig.clock import Clock
from bench.trace import Trace
from bench.verdict import Verdict
from drivers.contract import Contract

DEADLINE_S = 30.0  # of a call, beyond what its own timeout_s asks for
BUFFER_KB = 4096  # trace buffer per CPU
# Sub-buffers: an event that is larger than one vanishes uncounted. A full-duplex transfer's has its bytes twice.
SUBBUF_KB, LARGEST_SUBBUF_KB, EVENT_HEAD_KB = 64, 512, 4


@dataclass(frozen=True)
class Call:
    """One request: exerciser.function, its arguments, the event sources to enable."""

    exerciser: str
    function: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[Mapping[str, Any], ...] = ()
    contracts: tuple[Any, ...] = ()  # those that the sources are enabled for
    device: str = ""
    deadline_s: float = DEADLINE_S
    buffer_kb: int = BUFFER_KB
    recorders: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # beside the trace: name → settings
    interruptible: bool = False  # Rig.interrupt() ends it
    spool: Path | None = None  # folder for the pages of a long recording; None: the system's temporary one

    @property
    def subbuf_kb(self) -> int:
        """Sub-buffers that hold the events of the largest payload among the arguments, in both directions."""
        payload = max((len(a) for a in self.arguments.values() if isinstance(a, bytes | bytearray)), default=0)
        size = SUBBUF_KB
        while size < LARGEST_SUBBUF_KB and size < 2 * payload / 1024 + EVENT_HEAD_KB:
            size *= 2
        return size

    @property
    def name(self) -> str:
        """The call's name on the agent: exerciser.function."""
        return f"{self.exerciser}.{self.function}"


@dataclass(frozen=True)
class Answer:
    """The result of a call: a value or an error, and the events recorded while it ran.

    Times are ns of the host's CLOCK_MONOTONIC; adding `clock_offset_ns` gives the target's, to within
    `clock_error_ns`.
    """

    call: Call
    result: Any = None
    error: Mapping[str, Any] | None = None
    trace: Trace | None = None
    started_ns: int = 0
    ended_ns: int = 0
    clock_offset_ns: int = 0
    clock_error_ns: int = 0
    captures: Mapping[str, Capture] = field(default_factory=dict)  # of the recorders beside the trace, by name
    number: int = 0  # in its journal
    journal: Journal | None = field(default=None, repr=False, compare=False)

    def judge(self, contract: Contract) -> Verdict:
        """Judge this call's trace by `contract`; the verdict goes into the journal of the running check.

        Raises UsageError for a call that was not traced, ContractError for a limit that is not bound.
        """
        if self.trace is None:
            raise UsageError(f"{self.call.name}: it was not traced; call it with `.tracing({contract.name!r}, …)`")
        verdict = judge(contract, self.trace)
        if self.journal is not None:
            self.journal.conclude(self, verdict)
        return verdict

    def timed_by(self, offset_ns: int, error_ns: int) -> Answer:
        """The same answer with its times by a better measurement of the clocks' offset."""
        shift = self.clock_offset_ns - offset_ns
        return dataclasses.replace(self, started_ns=self.started_ns + shift, ended_ns=self.ended_ns + shift,
                                   clock_offset_ns=offset_ns, clock_error_ns=error_ns)

    def capture(self, recorder: str) -> Any:
        """The capture of a recorder beside the call: for "usb" a bench.capture.usbmon.UsbCapture.

        Raises UsageError when it was not requested.
        """
        if recorder not in self.captures:
            raise UsageError(f"{self.call.name}: {recorder} was not recorded; call it with `.recording({recorder!r})`")
        return self.captures[recorder]

    @property
    def value(self) -> Any:
        """The call's value.

        Raises TargetError with the target's traceback when the call raised; Broken when the agent lacked permission.
        """
        if self.error:
            if self.error["type"] == "PermissionError" and re.search(r"'/(dev|sys|proc|lib)/", self.error["text"]):
                fix = "run the agent as root, or give its user permission (a udev rule, a group)"
                raise Broken(f"{self.call.name}: {self.error['text']}: {fix}")
            what = f"{self.error['type']}: {self.error['text']}"
            raise TargetError(f"{self.call.name}: {what}\n{self.error['traceback']}")
        return self.result

    @property
    def errno(self) -> int:
        """The errno that the call ended with, 0 for none.  Raises TargetError for an error that is no errno."""
        if self.error and not self.error.get("errno"):
            _ = self.value
        return int(self.error["errno"]) if self.error else 0


class Journal:
    """The answers of one check and the verdicts on them, in order."""

    def __init__(self) -> None:
        self._answers: list[Answer] = []
        self._verdicts: list[tuple[int, Verdict]] = []  # with the answer's number

    @property
    def answers(self) -> tuple[Answer, ...]:
        """All answers so far."""
        return tuple(self._answers)

    def add(self, answer: Answer) -> Answer:
        """Keep an answer; the one returned reports the verdicts on it here."""
        numbered = dataclasses.replace(answer, number=len(self._answers), journal=self)
        self._answers.append(numbered)
        return numbered

    def conclude(self, answer: Answer, verdict: Verdict) -> None:
        """Keep a verdict on one of the answers."""
        self._verdicts.append((answer.number, verdict))

    def verdicts(self, answer: Answer) -> tuple[Verdict, ...]:
        """The verdicts on one of the answers."""
        return tuple(verdict for number, verdict in self._verdicts if number == answer.number)

    def timed_by(self, clock: Clock) -> None:
        """Give every answer its times by the best measurement of the clocks' offset: each exchange narrows it."""
        self._answers = [a.timed_by(*clock.at(a.ended_ns)) if a.ended_ns else a for a in self._answers]
