"""junit.xml: a test case per check.   Ref: the Jenkins xUnit schema (junit-10.xsd)

A failed check is a failure, a known defect is skipped with its reason, broken is an error, inconclusive an error of
type `inconclusive`: a CI server must not show it green.
"""
from __future__ import annotations

import os
import xml.etree.ElementTree as xml
from pathlib import Path

from bench import results
from bench.store import CheckRecord, Measurement, Record
from bench.trace.text import number_text, visible
from bench.verdict import Outcome


def write_junit(record: Record, path: Path) -> None:
    """Write junit.xml to `path`, whole or not at all."""
    summary = results.of(record)
    run = record.run
    suite = xml.Element("testsuite", {
        "name": visible(f"{run.board} {run.kernel}".strip()), "tests": str(summary.total),
        "failures": str(len(summary.failed)), "errors": str(len(summary.broken) + len(summary.inconclusive)),
        "skipped": str(len(summary.skipped) + len(summary.known)), "time": f"{summary.seconds:.3f}",
        "timestamp": visible(run.started), "hostname": visible(run.host),
    })
    faults = {"faults": " ".join(run.faults)} if run.faults else {}
    _properties(suite, {"board": run.board, "kernel": run.kernel, "config_hash": run.config_hash,
                        "twin": str(run.twin).lower(), "bench_version": run.bench_version, **faults})
    for check in record.checks:
        _case(suite, check)
    root = xml.Element("testsuites", {"name": "driver checks"})
    root.append(suite)
    xml.indent(root)
    aside = path.with_name(f".{path.name}.part")
    xml.ElementTree(root).write(aside, encoding="utf-8", xml_declaration=True)
    os.replace(aside, path)


def _case(suite: xml.Element, check: CheckRecord) -> None:
    classname = ".".join(part for part in (check.exerciser, check.device) if part)
    case = xml.SubElement(suite, "testcase", {
        "name": visible(check.sentence), "classname": visible(classname), "time": f"{check.seconds:.3f}",
        "file": visible(check.name.partition("::")[0]),
    })
    _properties(case, {"nodeid": check.name, **{f"measured.{m.name}": _measured(m) for m in check.measured}})
    if check.outcome is Outcome.FAIL and check.known_defect is not None:
        xml.SubElement(case, "skipped", {"message": visible(f"known defect: {check.known_defect}")})
    elif check.outcome is Outcome.SKIP:
        xml.SubElement(case, "skipped", {"message": visible(check.reason)})
    elif check.outcome is not Outcome.PASS:
        tag = "failure" if check.outcome is Outcome.FAIL else "error"
        node = xml.SubElement(case, tag, {"type": str(check.outcome), "message": visible(check.reason)})
        node.text = visible(check.failure)
    said = [str(verdict) for call in check.calls for verdict in call.verdicts]
    said += [f"{issue.severity}: {issue.kind}: {issue.text}" for issue in check.health]
    if said:
        xml.SubElement(case, "system-out").text = visible("\n".join(said))
    if check.console and check.outcome not in (Outcome.PASS, Outcome.SKIP):
        xml.SubElement(case, "system-err").text = visible("\n".join(text for _, text in check.console[-60:]))


def _measured(value: Measurement) -> str:
    limit = "" if value.limit is None else f" (limit {number_text(value.limit)})"
    return f"{number_text(value.value)} {value.unit}{limit}"


def _properties(parent: xml.Element, values: dict[str, str]) -> None:
    properties = xml.SubElement(parent, "properties")
    for name, value in values.items():
        xml.SubElement(properties, "property", {"name": visible(name), "value": visible(value)})
