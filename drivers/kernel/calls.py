"""Calls on the kernel's health, modules and devices.

Ref: Documentation/admin-guide/tainted-kernels.rst, ABI/testing/dev-kmsg
"""
from __future__ import annotations

import os
from typing import TypedDict

from drivers.agent.call import call
from drivers.agent.trace.tracefs import OWN_FILES
from drivers.kernel.devices import bind, rebind, suspend, unbind
from drivers.kernel.probe import deferred, devices, lost_files, modules_for, nodes
from drivers.kernel.seeded_bug import remove_seeded_bug, seed_bug
from drivers.uapi.clock import log_clock
from drivers.uapi.interrupts import Interrupt, interrupts
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


class Snapshot(TypedDict):
    """State that must be the same after a check, and the position in the kernel log."""

    log_clock: list[int] | None  # the log's clock against CLOCK_MONOTONIC, see drivers.uapi.clock
    taint: int  # bit mask
    counts: dict[str, int]  # COUNTS, as far as this kernel has them
    modules: dict[str, int]  # use counts
    fds: int  # the agent's open files, without the recorders'
    interrupts: dict[str, Interrupt]
    kmsg: int  # the last record's sequence number
    uptime_s: float


@call
def snapshot() -> Snapshot:
    """Take a snapshot of the kernel's health."""
    counts = {name: read(f"/sys/kernel/{name}", ABSENT) for name in COUNTS}
    return {
        "log_clock": log_clock(),  # writes lines: before the last record's number is read
        "taint": int(read("/proc/sys/kernel/tainted")),
        "counts": {name: int(text) for name, text in counts.items() if text},
        "modules": use_counts(),
        "fds": sum(int(fd) < OWN_FILES for fd in os.listdir("/proc/self/fd")),
        "interrupts": interrupts(),
        "kmsg": kmsg(LOG.last)["last"],
        "uptime_s": float(read("/proc/uptime").split()[0]),
    }


@call
def sysrq(key: str) -> None:
    """Write `key` to /proc/sysrq-trigger: w blocked tasks, l every CPU's stack, c crash.

    After c the target is gone: there is no answer.
    """
    write("/proc/sysrq-trigger", key)
