"""Calls on the kernel's health.   Ref: Documentation/admin-guide/tainted-kernels.rst, ABI/testing/dev-kmsg"""
from __future__ import annotations

import glob
import os

from drivers.agent.call import call
from drivers.agent.trace.tracefs import OWN_FILES
from drivers.kernel.devices import bind, rebind, suspend, unbind
from drivers.kernel.probe import deferred, devices, lost_files, modules_for, nodes
from drivers.uapi.clock import log_clock
from drivers.uapi.kmsg import LOG
from drivers.uapi.modules import load_module, plant, reload_module, unload_module, unplant

__all__ = [
    "bind",
    "collect_garbage",
    "deferred",
    "devices",
    "interrupts",
    "kmsg",
    "load_module",
    "lost_files",
    "modules_for",
    "nodes",
    "plant",
    "rebind",
    "reload_module",
    "slab",
    "snapshot",
    "suspend",
    "sysrq",
    "unbind",
    "unload_module",
    "unplant",
]

COUNTS = ("warn_count", "oops_count", "softlockup_count", "hardlockup_count", "rcu_stall_count")


def _read(path: str) -> str:
    try:
        with open(path) as opened:
            return opened.read()
    except FileNotFoundError:
        return ""  # an older kernel, or not configured


@call
def snapshot() -> dict[str, object]:
    """What must be the same again after a check, and the position in the kernel's log to read on from.

    taint is the bit mask; counts are those of /sys/kernel that this kernel has; modules name → references;
    fds the agent's open files, the recorder's aside; interrupts as `interrupts` says; log_clock the log's clock against
    CLOCK_MONOTONIC (drivers.uapi.clock); kmsg the last record's sequence number.
    """
    return {
        "log_clock": log_clock(),  # writes lines: before the last record's number is read
        "taint": int(_read("/proc/sys/kernel/tainted") or 0),
        "counts": {name: int(text) for name in COUNTS if (text := _read(f"/sys/kernel/{name}"))},
        "modules": {fields[0]: int(fields[2]) for fields in map(str.split, _read("/proc/modules").splitlines())},
        "fds": sum(int(fd) < OWN_FILES for fd in os.listdir("/proc/self/fd")),
        "interrupts": interrupts(),
        "kmsg": kmsg(LOG.last)["last"],
        "uptime_s": float(_read("/proc/uptime").split()[0]),
    }


@call
def slab() -> dict[str, int]:
    """Objects in use in each slab cache; empty where the kernel does not tell."""
    try:
        lines = _read("/proc/slabinfo").splitlines()[2:]
    except PermissionError:
        return {}
    return {name: int(active) for name, active, *_ in map(str.split, lines)}


@call
def interrupts() -> dict[str, dict[str, object]]:
    """Each line of /proc/interrupts: number → its count over all CPUs, and the names of its handlers."""
    lines = _read("/proc/interrupts").splitlines()
    cpus = len(lines[0].split()) if lines else 0
    found: dict[str, dict[str, object]] = {}
    for line in lines[1:]:
        number, _, rest = line.partition(":")
        fields = rest.split()
        counts = [int(field) for field in fields[:cpus] if field.isdigit()]
        # after the counts: controller, hardware number, trigger, then the handlers, which commas part
        names = rest.rstrip().rsplit("  ", 1)[-1] if number.strip().isdigit() and len(fields) > cpus else ""
        handlers = [name.strip().split()[-1] for name in names.split(",") if name.strip()]
        found[number.strip()] = {"count": sum(counts), "names": handlers}
    return found


@call
def kmsg(since: int = 0, limit: int = 2000) -> dict[str, object]:
    """The kernel log's records after sequence number `since`: seq, level, facility, time_s and text of each.

    "last" is the newest record's number, "dropped" how many after `since` were overwritten unread;
    at most `limit` records, the newest ones.
    """
    LOG.read()
    records, dropped = LOG.since(since)
    dropped += max(0, len(records) - limit)
    return {"last": max(LOG.last, since), "dropped": dropped, "records": records[-limit:]}


@call
def sysrq(key: str) -> None:
    """Write `key` to /proc/sysrq-trigger: w blocked tasks, l every CPU's stack, c crash.  Nothing comes back from c."""
    with open("/proc/sysrq-trigger", "w") as opened:
        opened.write(key)


@call
def collect_garbage() -> None:
    """Give back what the kernel only caches, so that `slab` counts what is in use and not what a processor keeps."""
    with open("/proc/sys/vm/drop_caches", "w") as opened:
        opened.write("3")
    for path in glob.glob("/sys/kernel/slab/*/shrink"):
        if not os.path.islink(os.path.dirname(path)):  # merged caches are links to one
            with open(path, "w") as opened:
                opened.write("1")
