"""Two snapshots of the kernel and its log between them.   Ref: Documentation/admin-guide/sysctl/kernel.rst"""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.health.issue import FAIL, INFO, WARN, HealthIssue
from bench.health.kernel_log import LogLine, reports_in
from bench.health.taint import taint_issues


def compare(before: Mapping[str, Any], after: Mapping[str, Any], kmsg: Sequence[LogLine],
            expected: Iterable[str] = ()) -> tuple[HealthIssue, ...]:
    """Judge what happened to the kernel between two snapshots.

    `before`, `after`: {taint: bits, counts: {warn_count: …, oops_count: …}, modules: {name: refcount}, fds: number,
    interrupts: {line: {count, names}}, uptime_s}, as drivers.kernel's `snapshot` returns them; what either lacks is
    not judged.
    `expected`: regular expressions of reports that the check declares; a declared report and the taint W and
    warn_count that come with it are `info`.
    """
    patterns = [(text, re.compile(text)) for text in expected]
    issues: list[HealthIssue] = []
    seen: set[str] = set()
    excused = 0  # reports that were declared
    undeclared = 0
    for kind, title, lines in reports_in(kmsg):
        declared = next((text for text, pattern in patterns if any(pattern.search(line) for line in lines)), None)
        if declared is not None:
            seen.add(declared)
            excused += kind != "log"
            issues.append(HealthIssue("declared", f"declared by the check: {title}", INFO))
        else:
            undeclared += kind != "log"
            issues.append(HealthIssue(kind, title, FAIL))
    quiet = bool(excused) and not undeclared
    for text, pattern in patterns:
        if text not in seen and not any(pattern.search(line) for _, _, line in kmsg):
            issues.append(HealthIssue("declared", f"declared by the check, but did not come: {text}", WARN))
    taints = taint_issues(_int(before, "taint"), _int(after, "taint"))
    issues += [_excuse(issue, quiet and " W " in issue.text) for issue in taints]
    issues += _counters(before, after, quiet)
    issues += _leaks(before, after)
    issues += _interrupts(_map(before, "interrupts"), _map(after, "interrupts"))
    return tuple(issues)


def _excuse(issue: HealthIssue, declared: bool) -> HealthIssue:
    return HealthIssue("declared", issue.text, INFO) if declared else issue


def _counters(before: Mapping[str, Any], after: Mapping[str, Any], quiet: bool) -> list[HealthIssue]:
    was, now = _map(before, "counts"), _map(after, "counts")
    return [
        _excuse(HealthIssue("counter", f"{n} went from {was[n]} to {now[n]}", FAIL), quiet and n == "warn_count")
        for n in now if n in was and now[n] > was[n]
    ]


def _leaks(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[HealthIssue]:
    found = []
    if after.get("uptime_s", 0) < before.get("uptime_s", 0):
        text = f"the board rebooted: its uptime went from {before['uptime_s']:.1f} s to {after['uptime_s']:.1f} s"
        return [HealthIssue("reset", text, FAIL)]
    was, now = _map(before, "modules"), _map(after, "modules")
    for name in sorted(was.keys() | now.keys()):
        if name not in now:
            found.append(HealthIssue("leak", f"module {name} is no longer loaded", WARN))
        elif name not in was:
            found.append(HealthIssue("leak", f"module {name} was loaded and stayed", INFO))
        elif was[name] != now[name]:
            found.append(HealthIssue("leak", f"module {name}: use count went from {was[name]} to {now[name]}", FAIL))
    if "fds" in before and "fds" in after and after["fds"] > before["fds"]:
        found.append(HealthIssue("leak", f"open file descriptors went from {before['fds']} to {after['fds']}", FAIL))
    return found


def _interrupts(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[HealthIssue]:
    found = []
    for line in sorted(before.keys() & after.keys()):
        was, now = before[line], after[line]
        if line.lower() in ("err", "mis") and now["count"] > was["count"]:
            text = f"bad interrupts ({line}) went from {was['count']} to {now['count']}"
            found.append(HealthIssue("irq", text, FAIL))
        # The same handler twice on a line that had it once: it was not released before it was requested again.
        for name in sorted(set(now["names"])):
            times = now["names"].count(name)
            if times > max(1, was["names"].count(name)):
                found.append(HealthIssue("irq", f"interrupt {line}: {name} holds it {times} times", FAIL))
    return found


def _int(snapshot: Mapping[str, Any], key: str) -> int:
    return int(snapshot.get(key, 0) or 0)


def _map(snapshot: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return snapshot.get(key) or {}
