"""Load and unload kernel modules by system call.

Ref: init_module(2), delete_module(2), modules.dep(5)
"""
from __future__ import annotations

import errno
import os
import time

from drivers.agent.call import call
from drivers.agent.coverage import Coverage
from drivers.uapi.sysfs import ABSENT, read

# finit_module, delete_module by machine: the C library has no name for them that can be counted on.
SYSCALLS = {"armv7l": (379, 129), "armv6l": (379, 129), "aarch64": (273, 106), "x86_64": (313, 176)}
MODULE_INIT_COMPRESSED_FILE = 4
SEEDED_BUG = "seeded_bug"  # the module of fixtures/modules that is loaded for a proof only


def _syscall(which: int, *arguments: object) -> None:
    import ctypes  # slow to import, and few checks need it

    machine = os.uname().machine
    if machine not in SYSCALLS:
        raise OSError(errno.ENOSYS, f"the system call numbers of {machine} are not known here")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(SYSCALLS[machine][which], *arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _dependencies(name: str) -> list[str]:
    """The module's file and those it needs, in the order of modules.dep;
    built-in ones are not in it.
    """
    folder = f"/lib/modules/{os.uname().release}"
    wanted = name.replace("-", "_")
    with open(f"{folder}/modules.dep") as dependencies:
        for line in dependencies:
            path, _, needs = line.partition(":")
            if os.path.basename(path).split(".ko")[0].replace("-", "_") == wanted:
                return [os.path.join(folder, part) for part in [path, *needs.split()]]
    raise OSError(errno.ENOENT, f"no module {name} in {folder}/modules.dep")


def _insert(path: str, options: str) -> None:
    flags = 0 if path.endswith(".ko") else MODULE_INIT_COMPRESSED_FILE
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _syscall(0, fd, options.encode(), flags)
    finally:
        os.close(fd)


def loaded(name: str) -> bool:
    """Whether the module is in the kernel and live."""
    return read(f"/sys/module/{name.replace('-', '_')}/initstate", ABSENT) == "live"


def use_counts() -> dict[str, int]:
    """Use count of each loaded module; empty for a kernel without modules."""
    return {
        fields[0]: int(fields[2])
        for fields in map(str.split, read("/proc/modules", ABSENT).splitlines())
    }


@call
def load_module(name: str, options: str = "") -> bool:
    """Load the module and what it needs; False when it was there already."""
    if loaded(name):
        return False
    own, *needs = _dependencies(name)
    for path in reversed(needs):
        if not loaded(os.path.basename(path).split(".ko")[0]):
            _insert(path, "")
    _insert(own, options)
    return True


@call
def unload_module(name: str, timeout_s: float = 0.0) -> bool:
    """Unload the module; False when it was not there. EAGAIN while it is in use, tried
    again up to `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    if Coverage.running:
        with Coverage.running.unloading(name.replace("-", "_")):
            return _removed(name, deadline)
    return _removed(name, deadline)


def _removed(name: str, deadline: float) -> bool:
    while loaded(name):
        try:
            _syscall(1, name.replace("-", "_").encode() + b"\0", os.O_NONBLOCK)
            return True
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK) or time.monotonic() >= deadline:
                raise
            time.sleep(0.005)
    return False


@call
def reload_module(name: str, options: str = "") -> float:
    """Unload and load the module again and return the seconds that took."""
    begun = time.monotonic()
    unload_module(name)
    load_module(name, options)
    return time.monotonic() - begun
