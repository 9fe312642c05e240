"""The evidence of one check, collected while it runs and frozen into its record."""
from __future__ import annotations

import contextlib
import dataclasses
import platform
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import bench
from bench import setup, store
from bench.board import Board, KnownDefect
from bench.capture.usbmon import UsbCapture
from bench.errors import BenchError, Broken, Hang, Inconclusive, TargetError
from bench.health import HealthIssue, compare, crash_in, kernel_lines
from bench.plugin.coverage import Watch
from bench.probe import Probe
from bench.results import board_contracts
from bench.rig import Rig
from bench.rig.call import Answer, Journal
from bench.rig.exerciser import exerciser_of
from bench.verdict import Outcome, Verdict
from drivers.contract import Contract
from drivers.uapi.clock import hull
from fixtures.cable import FROM_BOARD, Crossing
from fixtures.pcap import write_pcap

ORDER = [Outcome.PASS, Outcome.SKIP, Outcome.INCONCLUSIVE, Outcome.FAIL, Outcome.BROKEN]
CONSOLE_LINES = 400  # kept per check
WIRE_EVENTS = 2000


class HealthError(BenchError):
    """The kernel's health suffered during the check."""

    def __init__(self, findings: Sequence[HealthIssue]) -> None:
        first = findings[0].text
        more = f"; and {len(findings) - 1} more" if len(findings) > 1 else ""
        super().__init__(f"the kernel's health suffered: {first}{more}")


class SiteError(BenchError):
    """A contract that is kept beside the board was violated during the check."""

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        super().__init__("the board's own contracts: " + "; ".join(f"{v.claim}: {v.reason}" for v in verdicts))


def outcome_of(info: pytest.ExceptionInfo[BaseException]) -> Outcome:
    """What an exception says of the driver: our own mistakes are `broken`, never the driver's failure."""
    if info.errisinstance(pytest.skip.Exception):
        return Outcome.SKIP
    if info.errisinstance(Inconclusive):
        return Outcome.INCONCLUSIVE
    if info.errisinstance((AssertionError, TargetError, Hang, HealthError, SiteError, pytest.fail.Exception)):
        return Outcome.FAIL
    return Outcome.BROKEN


@dataclasses.dataclass
class Current:
    """The check that is running."""

    name: str = ""
    exerciser: str = ""
    expected: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    device: str = ""
    rig: Rig | None = None
    boot: int = 0  # the rig's count of boots when the check began
    outcome: Outcome = Outcome.PASS
    reason: str = ""
    failure: str = ""
    started_ns: int = 0
    measured: list[store.Measurement] = dataclasses.field(default_factory=list)
    kept: dict[str, bytes] = dataclasses.field(default_factory=dict)
    rows: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    health: tuple[HealthIssue, ...] = ()
    kmsg: tuple[tuple[int, int, str], ...] = ()
    kmsg_error_ns: int | None = None
    covered: tuple[store.Covered, ...] = ()
    journal: Journal = dataclasses.field(default_factory=Journal)
    crossings: tuple[Crossing, ...] = ()
    wire: tuple[store.WireEvent, ...] = ()
    before: dict[str, Any] = dataclasses.field(default_factory=dict)
    after: dict[str, Any] = dataclasses.field(default_factory=dict)
    undo: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)

    @classmethod
    def nothing(cls) -> Current:
        """No check is running."""
        return cls()

    @classmethod
    def start(cls, item: pytest.Item, faults: tuple[str, ...]) -> Current:
        """The check `item`, about to be set up."""
        expected = tuple(m.kwargs.get("splat") or m.args[0] for m in item.iter_markers("expects"))
        return cls(item.nodeid, exerciser_of(item.path), expected, faults, started_ns=time.monotonic_ns())

    def open(self, rig: Rig, before: dict[str, Any] | None) -> None:
        """Take the snapshot before, or the one after the last check, since which nobody touched the target."""
        self.rig, self.boot = rig, rig.boots
        self.before = before or rig.exerciser("kernel").snapshot().value
        rig.journal = self.journal
        self.started_ns = time.monotonic_ns()

    def close(self, rig: Rig) -> tuple[HealthIssue, ...]:
        """Take the snapshot after, and the kernel log between; returns what is new."""
        kernel = rig.exerciser("kernel")
        after = kernel.snapshot().value
        log = kernel.kmsg(since=self.before["kmsg"]).value
        self.after = {**after, "kmsg": log["last"]}
        # The log's clock is the scheduler's: measured before and after the check, and nothing is known without both.
        measured = [clock for clock in (self.before.get("log_clock"), after.get("log_clock")) if clock]
        offset, self.kmsg_error_ns = hull(measured) if len(measured) == 2 else (0, None)
        self.kmsg = tuple((ns - offset, level, text) for ns, level, text in kernel_lines(log["records"]))
        self.health = compare(self.before, after, self.kmsg, self.expected)
        self.journal.timed_by(rig.clock)
        self.health += tuple(
            HealthIssue("chip", f"{name}: {finding}", "warn")
            for name, chip in rig.access.chips.items() for finding in chip.findings
        )
        errors = rig.access.model_errors()
        if errors:
            raise Broken(f"a chip model raised: {errors[0]}")
        return self.health

    def close_dead(self, rig: Rig) -> None:
        """Collect what is left of a target that does not answer: its console."""
        crash = crash_in(line.text for line in rig.console(self.started_ns))
        if crash:
            self.health = (crash,)

    def fail(self, outcome: Outcome, info: pytest.ExceptionInfo[BaseException], text: str) -> None:
        """Note how a phase of the check ended, if that is worse than what is known."""
        if ORDER.index(outcome) > ORDER.index(self.outcome):
            self.outcome, self.failure = outcome, text
            self.reason = reason_of(info)

    def measure(self, name: str, value: float, unit: str, limit: float | None, at_least: float | None) -> float:
        """Keep a measured value and assert its limits."""
        ok = (limit is None or value <= limit) and (at_least is None or value >= at_least)
        bound = limit if limit is not None else at_least
        self.measured.append(store.Measurement(name, float(value), unit, bound, ok))
        assert ok, f"{name} is {value:g} {unit}; the limit is {'at least ' if limit is None else ''}{bound:g} {unit}"
        return value

    def record(self, defect: KnownDefect | None, worker: str) -> store.CheckRecord:
        """Freeze, with the defect that the check is known to show."""
        if self.outcome is Outcome.FAIL:
            judge_the_rest(self.journal)
        ended = time.monotonic_ns()
        console = self.rig.console(self.started_ns)[-CONSOLE_LINES:] if self.rig else []
        return store.CheckRecord(
            name=self.name, sentence=store.sentence_of(self.name), exerciser=self.exerciser, outcome=self.outcome,
            device=next((a.call.device for a in self.journal.answers if a.call.device), ""),
            reason=self.reason, failure=self.failure, known_defect=defect.reason if defect else None,
            faults=self.faults, started_ns=self.started_ns, seconds=(ended - self.started_ns) / 1e9,
            measured=tuple(self.measured), rows=tuple(self.rows),
            calls=tuple(call_record(a, self.journal.verdicts(a)) for a in self.journal.answers),
            wire=self.wire, health=self.health,
            console=tuple((line.ns, line.text) for line in console), kmsg=self.kmsg,
            kmsg_error_ns=self.kmsg_error_ns, covered=self.covered, worker=worker,
        )

    def keep_wire(self, rig: Rig) -> None:
        """Keep what crossed the cable, before the check's tear-down clears it."""
        self.crossings = tuple(c for cable in rig.cables.values() for c in cable.log if c.time_ns >= self.started_ns)
        cable = [
            store.WireEvent(c.time_ns, "cable", "out" if c.direction == FROM_BOARD else "in",
                            f"{len(c.frame)} bytes" + (f", fault: {c.fault}" if c.fault else ""), c.frame[:64].hex())
            for c in self.crossings
        ]
        chips = [
            store.WireEvent(ns, name, "", *shown(event))
            for name, chip in rig.access.chips.items() for ns, event in chip.wire_with_times if ns >= self.started_ns
        ]
        self.wire = tuple(sorted(cable + chips, key=lambda e: e.ts_ns)[-WIRE_EVENTS:])


def judge_site(contracts: Sequence[Contract], journal: Journal) -> list[Verdict]:
    """Judge the board's own contracts on the calls that they concern; those that are violated."""
    violated = []
    for answer in journal.answers:
        if answer.trace is not None:
            for verdict in board_contracts.judge(contracts, answer.trace, answer.call.arguments):
                journal.conclude(answer, verdict)
                if verdict.outcome is Outcome.FAIL:
                    violated.append(verdict)
    return violated


def judge_the_rest(journal: Journal) -> None:
    """Judge the contracts that a failed check had armed and did not come to: the kernel's witness belongs beside."""
    for answer in journal.answers:
        judged = {verdict.claim.split(":")[0] for verdict in journal.verdicts(answer)}
        for contract in answer.call.contracts if answer.trace is not None else ():
            if contract.name.split(":")[0] not in judged and not contract.unbound:
                contract(answer)


def shown(event: tuple[Any, ...]) -> tuple[str, str]:
    """One thing that a chip saw, in words and with its bytes in hex."""
    plain = [part for part in event if not isinstance(part, bytes)]
    words = [f"{part:#x}" if isinstance(part, int) and part > 9 else str(part) for part in plain]
    data = next((part for part in event if isinstance(part, bytes)), b"")
    return " ".join(words) + (f" {len(data)} bytes" if data else ""), data[:64].hex()


def reason_of(info: pytest.ExceptionInfo[BaseException]) -> str:
    """The first line of what an exception says."""
    text = str(info.value).strip() or info.typename
    line = text.splitlines()[0]
    return line if info.errisinstance((AssertionError, BenchError)) else f"{info.typename}: {line}"


def call_record(answer: Answer, verdicts: tuple[Verdict, ...] = ()) -> store.CallRecord:
    """An answer and what contracts say of it, as they are kept."""
    error = answer.error and store.CallError(
        answer.error["type"], answer.error["text"], answer.error.get("errno") or 0, answer.error["traceback"]
    )
    trace = answer.trace
    return store.CallRecord(
        call=answer.call.name, arguments=dict(answer.call.arguments), value=answer.result, error=error or None,
        started_ns=answer.started_ns, ended_ns=answer.ended_ns, clock_offset_ns=answer.clock_offset_ns,
        clock_error_ns=answer.clock_error_ns, lost=trace.lost if trace else 0,
        verdicts=verdicts, device=answer.call.device,
        usb=usb_record(answer.usb) if answer.usb else None,
    )


def usb_record(usb: UsbCapture) -> store.UsbRecord:
    """A capture of the bus as it is kept, beside its file."""
    return store.UsbRecord(None, usb.bus, usb.device, usb.lost, usb.offset_ns, usb.error_ns, usb.missing)


def keep_files(record: store.CheckRecord, current: Current, folder: Path, number: str) -> store.CheckRecord:
    """Write the traces, the pcap and the files of a check into the record's folder and name them in its record."""
    calls = list(record.calls)
    for i, answer in enumerate(current.journal.answers):
        if answer.trace is not None:
            name = f"traces/{number}-{i:02d}.dat"
            answer.trace.save(folder / name)
            calls[i] = dataclasses.replace(calls[i], trace=name)
        kept = calls[i].usb
        if answer.usb is not None and kept is not None and not kept.missing:
            name = f"wire/{number}-{i:02d}-usb.pcap"
            answer.usb.save(folder / name)
            calls[i] = dataclasses.replace(calls[i], usb=dataclasses.replace(kept, pcap=name))
    pcap = None
    if current.crossings:
        pcap = f"wire/{number}.pcap"
        write_pcap(folder / pcap, ((c.time_ns, c.frame) for c in current.crossings))
    files = {f"files/{number}-{name}": data for name, data in current.kept.items()}
    for path, data in files.items():
        (folder / path).write_bytes(data)
    return dataclasses.replace(record, calls=tuple(calls), pcap=pcap, files=tuple(files))


def run_info(board: Board, rig: Rig | None, probe: Probe | None, faults: tuple[str, ...],
             watch: Watch | None = None) -> store.RunInfo:
    """What runs where; what only the target can tell is left out where it never spoke (`rig` None)."""
    identity = dict(rig.identity) if rig else {}
    return store.RunInfo(
        board=board.name, kernel=str(identity.get("release", "")),
        config_hash=setup.prepare().config_hash if identity and board.twin else "", bench_version=bench.__version__,
        started=datetime.now(UTC).astimezone().isoformat(timespec="seconds"), host=platform.node(),
        twin=board.twin is not None, faults=faults, identity=identity,
        covers=watch.modules if watch else {}, covers_missing=watch.missing if watch else "",
        probe=probe,
    )
