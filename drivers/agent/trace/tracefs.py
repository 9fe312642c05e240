"""Files of tracefs, and cleanup after a recorder that died.

Ref: Documentation/trace/ftrace.rst
"""
from __future__ import annotations

import contextlib
import fcntl
import os
import re

ROOTS = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
GROUP = "bench"  # of the probe events made here
# File descriptors from here on are the recorder's, which stay open between
# calls: no call leaks them
OWN_FILES = 200
COVERAGE = "bench-coverage"  # which is one for all; while it is in use it is open, and stays
INSTANCE = re.compile(r"bench-(\d+)-(\d+)$")  # process id and start time of the recorder


class Folder:
    """A folder of tracefs, the top one or an instance."""

    def __init__(self, path: str) -> None:
        self.path = path

    def has(self, name: str) -> bool:
        """Whether this kernel has the file."""
        return os.path.exists(f"{self.path}/{name}")

    def read(self, name: str) -> str:
        """The whole file."""
        with open(f"{self.path}/{name}", errors="replace") as f:
            return f.read()

    def write(self, name: str, text: str) -> None:
        """Set the file to `text`; the kernel's refusal is an OSError."""
        self._put(name, text, os.O_TRUNC)

    def add(self, name: str, text: str) -> None:
        """Add a line to a file that holds several, such as kprobe_events."""
        self._put(name, text, os.O_APPEND)

    def _put(self, name: str, text: str, how: int) -> None:
        fd = os.open(f"{self.path}/{name}", os.O_WRONLY | how)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)


def own(fd: int) -> int:
    """The same open file with a number that is the recorder's."""
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, OWN_FILES)
    finally:
        os.close(fd)


def root() -> str:
    """Where tracefs is mounted, "" for nowhere."""
    return next((path for path in ROOTS if os.path.exists(path + "/trace")), "")


def own_instance(top: Folder) -> Folder:
    """The instance of this process, not made yet: its name identifies its process."""
    return Folder(f"{top.path}/instances/bench-{os.getpid()}-{_started(os.getpid())}")


def sweep(top: Folder) -> list[str]:
    """Remove the instances of recorders that are gone, and unused probes;
    returns what was removed.
    """
    removed = []
    for name in os.listdir(top.path + "/instances"):
        match = INSTANCE.match(name)
        if name == COVERAGE or (match and _started(int(match.group(1))) != match.group(2)):
            with contextlib.suppress(OSError):  # still open somewhere: the next one will
                os.rmdir(f"{top.path}/instances/{name}")
                removed.append(name)
    for file in ("kprobe_events", "dynamic_events"):
        if not top.has(file):
            continue
        for line in top.read(file).splitlines():
            probe = re.match(rf"[a-z]\d*:({GROUP}/\S+)", line)
            if probe:
                with contextlib.suppress(OSError):  # EBUSY: another recorder's, and it lives
                    top.add(file, f"-:{probe.group(1)}")
                    removed.append(probe.group(1))
    return removed


def _started(pid: int) -> str:
    """When a process was started, in the kernel's ticks, "" when there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            return f.read().rpartition(b")")[2].split()[19].decode()
    except OSError:
        return ""
