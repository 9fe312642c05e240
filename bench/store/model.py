"""The values of a record, all frozen.

Two clocks, one line: times of the host (calls, console, wire) are its CLOCK_MONOTONIC; times of the target (the
witnesses of a verdict, the kernel log) are the target's CLOCK_MONOTONIC. A call says how to go from one to the
other: host = target − clock_offset_ns, right within ± clock_error_ns.
"""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from bench.health import HealthIssue
from bench.probe import Probe
from bench.verdict import Outcome, Verdict


@dataclass(frozen=True)
class RunInfo:
    """What ran where: the board, its kernel, the host, and the rig's identity as the target itself gave it."""

    board: str
    kernel: str = ""
    config_hash: str = ""
    bench_version: str = ""
    started: str = ""  # ISO 8601 with zone
    host: str = ""
    twin: bool = False
    faults: tuple[str, ...] = ()
    identity: dict[str, Any] = field(default_factory=dict)
    covers: dict[str, Any] = field(default_factory=dict)  # driver → its module, "" for one without; with coverage only
    covers_missing: str = ""  # why there is no coverage, though it was asked for
    probe: Probe | None = None  # the board's devices when the run began


class CallError(NamedTuple):
    """What a call raised on the target."""

    type: str
    text: str
    errno: int = 0
    traceback: str = ""


@dataclass(frozen=True)
class CaptureRecord:
    """What a recorder beside the trace captured during a call: `recorder` is its name.

    `format`: the module of bench.capture that reads `file`, which is relative to the record's folder and has the
    recorder's own time stamps: target = recorder − clock_offset_ns, right within ± clock_error_ns. `lost` of its events
    are missing; `missing` says why there is no capture; `source`: what was recorded, such as a bus and a device number.
    """

    recorder: str
    format: str
    file: str | None = None
    lost: int = 0
    clock_offset_ns: int = 0
    clock_error_ns: int = 0
    missing: str = ""
    source: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class CallRecord:
    """One call: what was asked, what came back, and where its trace lies (relative to the record's folder)."""

    call: str
    arguments: dict[str, Any] = field(default_factory=dict)
    value: Any = None
    error: CallError | None = None
    started_ns: int = 0
    ended_ns: int = 0
    clock_offset_ns: int = 0
    clock_error_ns: int = 0
    trace: str | None = None
    lost: int = 0
    verdicts: tuple[Verdict, ...] = ()
    device: str = ""
    captures: tuple[CaptureRecord, ...] = ()


@dataclass(frozen=True)
class WireEvent:
    """One thing that the chip or the cable saw; `direction` is seen from the board: out, in, or empty."""

    ts_ns: int
    source: str
    direction: str
    what: str
    data: str = ""  # hex
    error_ns: int | None = None  # against the trace, of a source with a clock of its own; None: it is the host's


@dataclass(frozen=True)
class Measurement:
    """A measured value; `limit` None means that it is only written down."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    ok: bool = True


@dataclass(frozen=True)
class Covered:
    """What of one module was entered for the first time in its boot during a check, when the run asked for coverage.

    `functions`: all that the function tracer can see of it, told by the first check and when they change. `lost`:
    entries of this or another module that were not recorded.
    """

    module: str
    entered: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    lost: int = 0


def sentence_of(nodeid: str) -> str:
    """`drivers/net/checks/test_x.py::test_carrier_follows[eth]` → `carrier follows [eth]`."""
    return nodeid.rsplit("::", 1)[-1].removeprefix("test_").replace("_", " ").replace("[", " [")


@dataclass(frozen=True)
class CheckRecord:
    """One check: how it ended, why, and the evidence of all witnesses."""

    name: str  # pytest's node id
    sentence: str
    exerciser: str
    outcome: Outcome
    device: str = ""
    reason: str = ""
    failure: str = ""  # pytest's text of the assertion
    known_defect: str | None = None  # the reason why it is known
    faults: tuple[str, ...] = ()
    started_ns: int = 0
    seconds: float = 0.0
    measured: tuple[Measurement, ...] = ()
    rows: tuple[dict[str, Any], ...] = ()  # of a check that goes through many cases: one mapping for each
    calls: tuple[CallRecord, ...] = ()
    wire: tuple[WireEvent, ...] = ()
    pcap: str | None = None
    files: tuple[str, ...] = ()  # what the check itself kept, relative to the record's folder; pictures are shown
    health: tuple[HealthIssue, ...] = ()
    console: tuple[tuple[int, str], ...] = ()
    kmsg: tuple[tuple[int, int, str], ...] = ()
    covered: tuple[Covered, ...] = ()
    kmsg_error_ns: int | None = None  # of the log's clock against the target's; None: unknown
    worker: str = ""  # which of a run's workers, each with a twin of its own; empty where there is one only

    def in_short(self) -> CheckRecord:
        """The same without its evidence: how it ended and why."""
        nothing: dict[str, Any] = dict.fromkeys(("calls", "wire", "health", "console", "kmsg", "files"), ())
        return replace(self, failure="", **nothing)
