"""/proc/interrupts.   Ref: Documentation/filesystems/proc.rst"""
from __future__ import annotations

from typing import TypedDict

from drivers.agent.call import call


class Interrupt(TypedDict):
    """One line of /proc/interrupts: the count over all CPUs, and the names of its handlers."""

    count: int
    names: list[str]


@call
def interrupts() -> dict[str, Interrupt]:
    """Each line of /proc/interrupts by its number, or by its name as `NMI`."""
    with open("/proc/interrupts") as file:
        lines = file.read().splitlines()
    cpus = len(lines[0].split()) if lines else 0
    listed: dict[str, Interrupt] = {}
    for line in lines[1:]:
        number, _, rest = line.partition(":")
        fields = rest.split()
        counts = [int(field) for field in fields[:cpus] if field.isdigit()]
        # After the counts: controller, hardware number, trigger, then the
        # handlers, separated by commas.
        names = (
            rest.rstrip().rsplit("  ", 1)[-1]
            if number.strip().isdigit() and len(fields) > cpus
            else ""
        )
        handlers = [name.strip().split()[-1] for name in names.split(",") if name.strip()]
        listed[number.strip()] = {"count": sum(counts), "names": handlers}
    return listed


def handler_names() -> list[str]:
    """The name of every interrupt handler, sorted; a name as often as it is registered."""
    return sorted(name for line in interrupts().values() for name in line["names"])
