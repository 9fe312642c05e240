"""Today's names of what a record calls by a name of its own day: checks, contracts, calls and faults.

renamed.tsv has a line `kind<TAB>old name<TAB>new name` for each; docs/renamed-checks.md is the same for people. A
name that it does not have is still today's, but for a check's file, which lies in drivers/<name>/checks/ now. What is
renamed more than once has a line for each step.
"""
from __future__ import annotations

import dataclasses
import functools
import re
from pathlib import Path
from typing import Any

from bench.store.model import CallRecord, CheckRecord, RunInfo, sentence_of
from bench.verdict import Verdict

TABLE = Path(__file__).with_name("renamed.tsv")
KINDS = ("check", "contract", "call", "fault")
_OLD_PLACE = re.compile(r"^(?P<folder>drivers/\w+)/(?P<file>test_\w+\.py)(?=$|::)")


@functools.cache
def table() -> dict[str, dict[str, str]]:
    """Kind → old name → new name."""
    names: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    for line in TABLE.read_text().splitlines():
        kind, old, new = line.split("\t")
        names[kind][old] = new
    return names


def captures_today(check: dict[str, Any]) -> dict[str, Any]:
    """The line of a check with its captures in today's form: `usb` was a field of its own, with its bus and device."""
    for call in check.get("calls", ()):
        usb = call.pop("usb", None) if isinstance(call, dict) else None
        if isinstance(usb, dict):
            file, source = usb.pop("pcap", None), {key: usb.pop(key, 0) for key in ("bus", "device")}
            call["captures"] = [{"recorder": "usb", "format": "usbmon", "file": file, "source": source, **usb}]
    return check


def check(name: str) -> str:
    """Today's node id of a check; its case, in brackets, stays."""
    function, bracket, case = name.partition("[")
    function = _latest("check", function)
    return _OLD_PLACE.sub(r"\g<folder>/checks/\g<file>", function) + bracket + case


def contract(claim: str) -> str:
    """Today's sentence of a contract: its name, with the `: …` of its claim as it was then."""
    name, colon, rest = claim.partition(": ")
    return _latest("contract", name) + colon + rest


def call(name: str) -> str:
    """Today's name of a call, as `net.ping`."""
    return _latest("call", name)


def fault(name: str) -> str:
    """Today's name of a fault, as `dm9000:swallow_tx_completion`."""
    return _latest("fault", name)


def run_today(run: RunInfo) -> RunInfo:
    """The run's line with today's names."""
    return dataclasses.replace(run, faults=tuple(map(fault, run.faults)))


def check_today(record: CheckRecord) -> CheckRecord:
    """The check's line with today's names."""
    name = check(record.name)
    derived = record.sentence == sentence_of(record.name)
    return dataclasses.replace(
        record, name=name, sentence=sentence_of(name) if derived else record.sentence,
        faults=tuple(map(fault, record.faults)), calls=tuple(map(_call_today, record.calls)),
        rows=tuple(map(_row_today, record.rows)))


def _call_today(record: CallRecord) -> CallRecord:
    return dataclasses.replace(record, call=call(record.call), verdicts=tuple(map(_verdict_today, record.verdicts)))


def _verdict_today(verdict: Verdict) -> Verdict:
    return dataclasses.replace(verdict, claim=contract(verdict.claim))


def _row_today(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "fault": fault(row["fault"])} if isinstance(row.get("fault"), str) else row


def _latest(kind: str, name: str) -> str:
    names, seen = table()[kind], {name}
    while (new := names.get(name)) is not None and new not in seen:
        name = new
        seen.add(name)
    return name
