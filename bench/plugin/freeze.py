"""Make a check's record: outcome, calls, verdicts, files; and the header line of the run."""
from __future__ import annotations

import dataclasses
import platform
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import bench
from bench import store
from bench.board import Board, KnownDefect
from bench.capture import Capture
from bench.errors import BenchError, Hang, Inconclusive, TargetError
from bench.health import HealthIssue
from bench.plugin.coverage import Watch
from bench.plugin.running_check import RunningCheck
from bench.probe import Probe
from bench.rig import Rig, recorders
from bench.rig.call import Answer
from bench.verdict import Outcome, Verdict
from fixtures.cable import FROM_BOARD, Crossing
from fixtures.pcap import write_pcap

CONSOLE_LINES = 400  # kept of a check, the last ones
WIRE_EVENTS = 2000


class KernelUnhealthy(BenchError):
    """The kernel's health shows an issue that fails the check."""

    def __init__(self, issues: Sequence[HealthIssue]) -> None:
        first = issues[0].text
        more = f"; and {len(issues) - 1} more" if len(issues) > 1 else ""
        super().__init__(f"kernel health: {first}{more}")


class BoardContractViolated(BenchError):
    """A contract of the board itself was violated during the check."""

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        super().__init__("board contract violated: " + "; ".join(f"{v.claim}: {v.reason}" for v in verdicts))


def outcome_of(info: pytest.ExceptionInfo[BaseException]) -> Outcome:
    """The outcome for an exception: the bench's own errors are `broken`, never the driver's failure."""
    if info.errisinstance(pytest.skip.Exception):
        return Outcome.SKIP
    if info.errisinstance(Inconclusive):
        return Outcome.INCONCLUSIVE
    failures = (AssertionError, TargetError, Hang, KernelUnhealthy, BoardContractViolated, pytest.fail.Exception)
    if info.errisinstance(failures):
        return Outcome.FAIL
    return Outcome.BROKEN


def check_record(check: RunningCheck, defect: KnownDefect | None, worker: str) -> store.CheckRecord:
    """The record of a check that has ended, with the defect that it is known to show."""
    ended = time.monotonic_ns()
    console = check.rig.console(check.started_ns)[-CONSOLE_LINES:] if check.rig else []
    return store.CheckRecord(
        name=check.name, sentence=store.sentence_of(check.name), exerciser=check.exerciser, outcome=check.outcome,
        device=next((a.call.device for a in check.journal.answers if a.call.device), ""),
        reason=check.reason, failure=check.failure, known_defect=defect.reason if defect else None,
        faults=check.faults, started_ns=check.started_ns, seconds=(ended - check.started_ns) / 1e9,
        measured=tuple(check.measured), rows=tuple(check.rows),
        calls=tuple(call_record(a, check.journal.verdicts(a)) for a in check.journal.answers),
        wire=check.wire, health=check.health,
        console=tuple((line.ns, line.text) for line in console), kmsg=check.kmsg,
        kmsg_error_ns=check.kmsg_error_ns, covered=check.covered, worker=worker,
    )


def wire_seen(rig: Rig, since_ns: int) -> tuple[tuple[Crossing, ...], tuple[store.WireEvent, ...]]:
    """The frames that crossed the cables since, and those with the chips' events in short, in order of time."""
    crossed = [(name, c) for name, cable in rig.cables.items() for c in cable.log if c.time_ns >= since_ns]
    crossings = tuple(sorted((c for _, c in crossed), key=lambda c: c.time_ns))
    cable = [
        store.WireEvent(c.time_ns, name, "out" if c.direction == FROM_BOARD else "in",
                        f"{len(c.frame)} bytes" + (f", fault: {c.fault}" if c.fault else ""), c.frame[:64].hex())
        for name, c in crossed
    ]
    chips = [
        store.WireEvent(ns, name, "", *chip_event(event))
        for name, chip in rig.access.chips.items() for ns, event in chip.wire_with_times if ns >= since_ns
    ]
    return crossings, tuple(sorted(cable + chips, key=lambda e: e.ts_ns)[-WIRE_EVENTS:])


def chip_event(event: tuple[Any, ...]) -> tuple[str, str]:
    """One event of a chip's wire log as text, bytes in hex."""
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
        captures=tuple(capture_record(name, capture) for name, capture in answer.captures.items()),
    )


def capture_record(recorder: str, capture: Capture) -> store.CaptureRecord:
    """A recorder's capture as it is kept, beside its file."""
    return store.CaptureRecord(recorder, recorders.format_of(recorder), None, capture.lost, capture.offset_ns,
                               capture.error_ns, capture.missing, dict(capture.source))


def keep_files(record: store.CheckRecord, check: RunningCheck, folder: Path, number: str) -> store.CheckRecord:
    """Write the traces, the pcap and the files of a check into the record's folder and name them in its record."""
    calls = list(record.calls)
    for i, answer in enumerate(check.journal.answers):
        if answer.trace is not None:
            name = f"traces/{number}-{i:02d}.dat"
            answer.trace.save(folder / name)
            calls[i] = dataclasses.replace(calls[i], trace=name)
        captures = []
        for kept in calls[i].captures:
            capture = answer.captures[kept.recorder]
            name = f"wire/{number}-{i:02d}-{kept.recorder}.{capture.suffix}"
            if not capture.missing:
                capture.save(folder / name)
            captures.append(kept if capture.missing else dataclasses.replace(kept, file=name))
        calls[i] = dataclasses.replace(calls[i], captures=tuple(captures))
    pcap = None
    if check.crossings:
        pcap = f"wire/{number}.pcap"
        write_pcap(folder / pcap, ((c.time_ns, c.frame) for c in check.crossings))
    files = {f"files/{number}-{name}": data for name, data in check.kept.items()}
    for path, data in files.items():
        (folder / path).write_bytes(data)
    return dataclasses.replace(record, calls=tuple(calls), pcap=pcap, files=tuple(files))


def run_info(board: Board, rig: Rig | None, probe: Probe | None, faults: tuple[str, ...],
             watch: Watch | None = None) -> store.RunInfo:
    """What runs where; what only the target can tell is left out where it never spoke (`rig` None)."""
    identity = dict(rig.identity) if rig else {}
    return store.RunInfo(
        board=board.name, kernel=str(identity.get("release", "")),
        config_hash=rig.access.kernel_config if rig and identity else "", bench_version=bench.__version__,
        started=datetime.now(UTC).astimezone().isoformat(timespec="seconds"), host=platform.node(),
        twin=board.twin is not None, faults=faults, identity=identity,
        covers=watch.modules if watch else {}, covers_missing=watch.missing if watch else "",
        probe=probe,
    )
