"""Records: what a run leaves behind, durable check by check, and enough to report and judge it again offline."""
from __future__ import annotations

from bench.health import HealthIssue
from bench.store.codec import Cut, to_json, typed
from bench.store.folder import Record, Writer, read, rewrite
from bench.store.model import (
    CallError,
    CallRecord,
    CaptureRecord,
    CheckRecord,
    Covered,
    Measurement,
    RunInfo,
    WireEvent,
    sentence_of,
)

__all__ = [
    "CallError", "CallRecord", "CaptureRecord", "CheckRecord", "Covered", "Cut", "HealthIssue", "Measurement", "Record",
    "RunInfo", "WireEvent", "Writer", "read", "rewrite", "sentence_of", "to_json", "typed",
]
