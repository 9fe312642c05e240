"""What an action left otherwise than it was, in words; for the host's checks."""
from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Mapping
from typing import Any

LISTS = {"nodes": "node", "handlers": "interrupt handler", "regions": "claimed region", "debugfs": "debugfs folder"}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Every difference between two states of the kernel; empty when there is none."""
    found = []
    for ident in sorted({*before["drivers"], *after["drivers"]}):
        was, now = before["drivers"].get(ident), after["drivers"].get(ident)
        if was != now:
            found.append(f"{ident} is bound to {now or 'nothing'}, not {was or 'nothing'}")
    for key, word in LISTS.items():
        was, now = Counter(before[key]), Counter(after[key])
        found += [f"{word} {name} is gone" for name in sorted((was - now).elements())]
        found += [f"{word} {name} stayed behind" for name in sorted((now - was).elements())]
    for module in sorted({*before["modules"], *after["modules"]}):
        was, now = before["modules"].get(module), after["modules"].get(module)
        if was != now:
            found.append(f"module {module} is {_used(now)}, not {_used(was)}")
    if after["fds"] != before["fds"]:
        found.append(f"{after['fds']} files are open, not {before['fds']}")
    found += [f"deferred: {line}" for line in after["deferred"] if line not in before["deferred"]]
    for ident in sorted(before["settings"].keys() & after["settings"].keys()):
        was, now = before["settings"][ident], after["settings"][ident]
        if was != now:
            found.append(f"{ident} has {now}, not {was}")
    return found


def kept_while_unbound(act: Mapping[str, Any]) -> list[str]:
    """What bears the device's name, or its interfaces', while it has no driver."""
    during, names = act["during"], {act["name"], *(node[4:] for node in act["held"] if node.startswith("net:"))}
    found = [f"interrupt handler {name} is still there" for name in during["handlers"] if name in names]
    before = Counter(act["before"]["regions"])
    mine = [line for line in before if act["name"] in line.split()]
    # The device's own resource stays; what the driver claimed of it is a second line of the same range.
    for line in mine:
        where = line.split()[0]
        was = sum(count for other, count in before.items() if other.split()[0] == where)
        now = sum(other.split()[0] == where for other in during["regions"])
        if was > 1 and now >= was:
            found.append(f"region {line} is still claimed")
    return found


def refused(steps: list[Mapping[str, Any]]) -> list[str]:
    """The steps that the kernel refused, or that did not come to their end."""
    found = []
    for step in steps:
        if step["end"] != "done":
            found.append(f"{step['what']}: {step['end']}")
        elif step["errno"]:
            found.append(f"{step['what']}: {errno.errorcode.get(step['errno'], step['errno'])}")
    return found


def _used(count: Any) -> str:
    return "not loaded" if count is None else f"loaded with use count {count}"
