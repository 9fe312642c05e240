"""The differences between two snapshots of the kernel, as texts; for the checks."""
from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Sequence

from drivers.lifecycle.snapshot import Snapshot
from drivers.lifecycle.transaction import Result
from drivers.uapi.process import StepResult


def changes(before: Snapshot, after: Snapshot) -> list[str]:
    """Every difference between two snapshots; empty when there is none."""
    lines = []
    for ident in sorted({*before["drivers"], *after["drivers"]}):
        was, now = before["drivers"].get(ident), after["drivers"].get(ident)
        if was != now:
            lines.append(f"{ident} is bound to {now or 'nothing'}, not {was or 'nothing'}")
    for what, old, new in (
        ("node", before["nodes"], after["nodes"]),
        ("interrupt handler", before["handlers"], after["handlers"]),
        ("claimed region", before["regions"], after["regions"]),
        ("debugfs folder", before["debugfs"], after["debugfs"]),
    ):
        gone, added = Counter(old) - Counter(new), Counter(new) - Counter(old)
        lines += [f"{what} {name} is gone" for name in sorted(gone.elements())]
        lines += [f"{what} {name} was left behind" for name in sorted(added.elements())]
    for module in sorted({*before["modules"], *after["modules"]}):
        old_count, new_count = before["modules"].get(module), after["modules"].get(module)
        if old_count != new_count:
            lines.append(f"module {module} is {_used(new_count)}, not {_used(old_count)}")
    if after["fds"] != before["fds"]:
        lines.append(f"{after['fds']} files are open, not {before['fds']}")
    lines += [f"deferred: {line}" for line in after["deferred"] if line not in before["deferred"]]
    for ident in sorted(before["settings"].keys() & after["settings"].keys()):
        was, now = before["settings"][ident], after["settings"][ident]
        if was != now:
            lines.append(f"{ident} has {now}, not {was}")
    return lines


def kept_while_unbound(result: Result) -> list[str]:
    """Interrupt handlers and regions of the device, or of its interfaces, that it
    has while it has no driver.
    """
    during = result["during"]
    assert during is not None
    names = {result["name"], *(node[4:] for node in result["held"] if node.startswith("net:"))}
    lines = [
        f"interrupt handler {name} is still there" for name in during["handlers"] if name in names
    ]
    before = Counter(result["before"]["regions"])
    # The device's own resource stays; what the driver claimed of it is a
    # second line of the same range.
    for region in [region for region in before if result["name"] in region.split()]:
        where = region.split()[0]
        was = sum(count for other, count in before.items() if other.split()[0] == where)
        now = sum(other.split()[0] == where for other in during["regions"])
        if was > 1 and now >= was:
            lines.append(f"region {region} is still claimed")
    return lines


def refused(steps: Sequence[StepResult]) -> list[str]:
    """The steps that the kernel refused, or that did not end in time."""
    lines = []
    for step in steps:
        if step["end"] != "done":
            lines.append(f"{step['what']}: {step['end']}")
        elif step["errno"]:
            lines.append(f"{step['what']}: {errno.errorcode.get(step['errno'], step['errno'])}")
    return lines


def _used(count: int | None) -> str:
    return "not loaded" if count is None else f"loaded with use count {count}"
