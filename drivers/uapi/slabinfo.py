"""Objects in use in the slab caches.

Ref: slabinfo(5); Documentation/admin-guide/sysctl/vm.rst (drop_caches)
"""
from __future__ import annotations

import glob
import os

from drivers.agent.call import call
from drivers.uapi.sysfs import write


@call
def slab() -> dict[str, int]:
    """Active objects of each slab cache; empty where /proc/slabinfo is not readable."""
    try:
        with open("/proc/slabinfo") as file:
            lines = file.read().splitlines()[2:]
    except (FileNotFoundError, PermissionError):
        return {}
    return {name: int(active) for name, active, *_ in map(str.split, lines)}


@call
def shrink_caches() -> None:
    """Drop the page, dentry and inode caches and shrink every slab cache, so that `slab`
    counts objects in use only.
    """
    write("/proc/sys/vm/drop_caches", 3)
    for path in glob.glob("/sys/kernel/slab/*/shrink"):
        if not os.path.islink(os.path.dirname(path)):  # merged caches are links to one
            write(path, 1)
