"""Calls on the kernel's health.   Ref: Documentation/admin-guide/tainted-kernels.rst, ABI/testing/dev-kmsg"""

from __future__ import annotations

import os

from drivers.agent.call import call
from drivers.agent.trace.tracefs import OWN_FILES
from drivers.kernel.devices import bind, rebind, suspend, unbind
from drivers.kernel.probe import deferred, devices, lost_files, modules_for, nodes
from drivers.kernel.seeded_bug import remove_seeded_bug, seed_bug
from drivers.uapi.clock import log_clock
from drivers.uapi.interrupts import interrupts
from drivers.uapi.kmsg import LOG, kmsg
from drivers.uapi.modules import load_module, reload_module, unload_module, use_counts
from drivers.uapi.slabinfo import shrink_caches, slab
from drivers.uapi.sysfs import ABSENT, read, write

__all__ = [
    "bind",
    "deferred",
    "devices",
    "interrupts",
    "kmsg",
    "load_module",
    "lost_files",
    "modules_for",
    "nodes",
    "rebind",
    "reload_module",
    "remove_seeded_bug",
    "seed_bug",
    "shrink_caches",
    "slab",
    "snapshot",
    "suspend",
    "sysrq",
    "unbind",
    "unload_module",
]

COUNTS = ("warn_count", "oops_count", "softlockup_count", "hardlockup_count", "rcu_stall_count")


@call
def snapshot() -> dict[str, object]:
    """What must be the same again after a check, and the position in the kernel's log to read on from.

    taint is the bit mask; counts are those of /sys/kernel that this kernel has; modules name → references;
    fds the agent's open files, the recorder's aside; interrupts as `interrupts` says; log_clock the log's clock against
    CLOCK_MONOTONIC (drivers.uapi.clock); kmsg the last record's sequence number.
    """
    return {
        "log_clock": log_clock(),  # writes lines: before the last record's number is read
        "taint": int(read("/proc/sys/kernel/tainted")),
        "counts": {
            name: int(text) for name in COUNTS if (text := read(f"/sys/kernel/{name}", ABSENT))
        },
        "modules": use_counts(),
        "fds": sum(int(fd) < OWN_FILES for fd in os.listdir("/proc/self/fd")),
        "interrupts": interrupts(),
        "kmsg": kmsg(LOG.last)["last"],
        "uptime_s": float(read("/proc/uptime").split()[0]),
    }


@call
def sysrq(key: str) -> None:
    """Write `key` to /proc/sysrq-trigger: w blocked tasks, l every CPU's stack, c crash.  Nothing comes back from c."""
    write("/proc/sysrq-trigger", key)
