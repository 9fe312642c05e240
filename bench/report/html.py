"""A record as one self-contained HTML page: nothing is loaded from anywhere, text of the target is escaped.

The page's content security policy allows the two inline scripts and styles of its own, by hash, and nothing else: if an
escape were ever missed, a browser would still not run it.
"""
from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from bench import results
from bench.health import FAIL, INFO, head_of
from bench.report import timeline
from bench.report.lanes import Clock
from bench.report.svg import draw
from bench.report.terminal import unseen_words
from bench.store import CallRecord, CheckRecord, Measurement, Record
from bench.trace import Trace
from bench.trace.text import field_text, hex_text, number_text, seconds_text, value_text, visible
from bench.verdict import SYMBOLS, Outcome, Verdict

PAGE = Path(__file__).parent / "page"
_ORDER = (Outcome.FAIL, Outcome.BROKEN, Outcome.INCONCLUSIVE, Outcome.PASS, Outcome.SKIP)
MOST_CALLS, MOST_WIRE, MOST_LINES, MOST_WITNESSES = 24, 48, 120, 12
WORDS = {"pass": "passed", "fail": "failed", "inconclusive": "inconclusive", "broken": "broken", "skip": "skipped",
         "known": "known defect"}


@dataclass(frozen=True)
class Slice:
    """The part of a long list that is shown, and how many were left out before and after it."""

    items: Sequence[Any]
    before: int = 0
    after: int = 0


def render(record: Record, load: timeline.Load | None = Trace.load) -> str:
    """Return the page for `record`; `load` reads a trace.dat (None: the verdicts' witnesses stand in)."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=_shown,
    )
    environment.filters.update(
        value=value_text, field=field_text, hex=hex_text, duration=seconds_text, number=number_text, moment=moment)
    style, script = ((PAGE / name).read_text() for name in ("style.css", "script.js"))
    summary = results.of(record)
    return environment.get_template("page.html").render(
        record=record, run=record.run, summary=summary, style=style, script=script,
        style_hash=_hash(style), script_hash=_hash(script), symbols=SYMBOLS, words=WORDS,
        counts=results.counts(record.checks), groups=_groups(record.checks), identity=list(_flat(record.run.identity)),
        kind=results.kind, evidence=lambda check, drawn: _evidence(record, check, load if drawn else None, drawn),
        id=id, ident=lambda check: f"c{record.checks.index(check)}", pairs=_measured, bar=_bar,
        why=results.why, clocks=_clocks, coverage=results.coverage(record), uncovered=results.uncovered(record),
        unseen_words=unseen_words, pictures=lambda check: list(_pictures(record.folder, check)),
    )


def write_html(record: Record, path: Path, load: timeline.Load | None = Trace.load) -> None:
    """Write the page to `path`, whole or not at all."""
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(render(record, load), encoding="utf-8")
    os.replace(aside, path)


def moment(ns: int) -> str:
    """Return a time since the check's start, with as many digits as its size leaves sense for."""
    seconds = ns / 1e9
    if abs(seconds) < 1e-3:
        return f"{ns / 1e3:+.1f} µs"
    return f"{ns / 1e6:+.3f} ms" if abs(seconds) < 0.1 else f"{seconds:+.6f} s"


def _shown(value: Any) -> Any:
    # Every text that a template prints comes through here; what is marked safe (SVG, CSS, script) is our own.
    return visible(value) if type(value) is str else value


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _groups(checks: Iterable[CheckRecord]) -> list[tuple[str, list[CheckRecord]]]:
    groups: dict[str, list[CheckRecord]] = {}
    for check in checks:
        groups.setdefault(check.exerciser or "other", []).append(check)
    return sorted(groups.items())


def _flat(value: Any, name: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{name} {key}".strip())
    else:
        yield name, value if isinstance(value, str) else value_text(value)


def _pictures(folder: Path, check: CheckRecord) -> Iterable[tuple[str, str]]:
    """Name and data URL of each picture that a check kept and that is still there."""
    for path in check.files:
        picture = folder / path
        if picture.suffix == ".png" and picture.is_file() and folder.resolve() in picture.resolve().parents:
            yield picture.name, "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()


def _measured(checks: Iterable[CheckRecord]) -> list[tuple[CheckRecord, Measurement]]:
    return [(check, value) for check in checks for value in check.measured]


def _clocks(line: timeline.Timeline) -> list[tuple[Clock, str]]:
    """Each clock with the names of the lanes that have it."""
    lanes: dict[Clock, list[str]] = {}
    for (name, _), clock in zip(line.lanes, line.clocks, strict=True):
        lanes.setdefault(clock, []).append(name)
    return [(clock, ", ".join(names)) for clock, names in lanes.items()]


def _bar(value: Measurement) -> dict[str, Any] | None:
    """Where value and limit lie on a bar of 100 units; the limit is an upper one unless the value proves otherwise."""
    if value.limit is None or not value.limit > 0 or not 0 <= value.value < float("inf"):
        return None
    lower = value.ok == (value.value > value.limit) and value.value != value.limit
    scale = max(value.limit, min(value.value, value.limit * 4)) / (0.9 if lower else 0.8)
    return {"fill": round(min(100.0, 100 * value.value / scale), 2), "limit": round(100 * value.limit / scale, 2),
            "sign": "≥" if lower else "≤", "part": _part(value.value / value.limit)}


def _part(part: float) -> str:
    return f"{100 * part:.0f} %" if part < 10 else f"{part:.0f} times"


def _evidence(record: Record, check: CheckRecord, load: timeline.Load | None, drawn: bool) -> dict[str, Any]:
    line = timeline.build(check, record.folder, load) if drawn else None
    marks = [mark + check.started_ns for mark in line.marks] if line else []
    calls = check.calls
    first_bad = next((i for i, call in enumerate(calls) if call.error or not _fine(call)), None)
    log = [(ns, level, text, head_of(text) is not None or level <= 2) for ns, level, text in check.kmsg]
    console = [(ns - check.started_ns, text, head_of(text) == "crash") for ns, text in check.console]
    centre = len(calls) - 1 if first_bad is None and check.outcome is not Outcome.PASS else first_bad or 0
    return {
        "calls": _slice(calls, centre, MOST_CALLS),
        "verdicts": _verdicts(calls),
        "near": {id(check.wire[_near([w.ts_ns for w in check.wire], [mark])]) for mark in marks if check.wire},
        "wire": _slice(check.wire, _near([w.ts_ns for w in check.wire], marks), MOST_WIRE),
        "kmsg": _slice(log, next((i for i, entry in enumerate(log) if entry[3]), 0), MOST_LINES),
        "console": _slice(console, next((i for i, entry in enumerate(console) if entry[2]), 0), MOST_LINES),
        "log_time": lambda ns: ns - (calls[0].clock_offset_ns if calls else 0) - check.started_ns,
        "svg": draw(line, f"{record.checks.index(check)}") if line else None,
        "line": line,
        "health": sorted(check.health, key=lambda f: (f.severity == INFO, f.severity != FAIL)),
        "witnesses": MOST_WITNESSES,
    }


def _verdicts(calls: Iterable[CallRecord]) -> list[tuple[CallRecord, Verdict, int]]:
    """Verdicts, failed ones first; of those with the same claim and outcome the first, and how many there are."""
    alike: dict[tuple[str, Outcome], list[tuple[CallRecord, Verdict]]] = {}
    for call in calls:
        for verdict in call.verdicts:
            alike.setdefault((verdict.claim, verdict.outcome), []).append((call, verdict))
    return sorted(((*same[0], len(same)) for same in alike.values()), key=lambda v: _ORDER.index(v[1].outcome))


def _fine(call: CallRecord) -> bool:
    return all(verdict.outcome is Outcome.PASS for verdict in call.verdicts)


def _near(times: list[int], marks: list[int]) -> int:
    if not marks or not times:
        return 0
    return min(range(len(times)), key=lambda i: min(abs(times[i] - mark) for mark in marks))


def _slice(items: Sequence[Any], centre: int, most: int) -> Slice:
    if len(items) <= most:
        return Slice(items)
    start = max(0, min(centre - most * 2 // 3, len(items) - most))
    return Slice(items[start : start + most], start, len(items) - most - start)
