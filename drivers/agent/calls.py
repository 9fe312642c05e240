"""Calls that exercise the agent itself: echo, error, delay, death.  `make bench` and the bench's tests use them."""
from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from typing import Any, Dict, Generator, List

from drivers.agent.call import call, listen
from drivers.agent.coverage import BUFFER_KB, LOOK_S, Coverage, module_of
from drivers.agent.step import step
from drivers.agent.trace import tracefs


@call
def echo(value: Any) -> Any:
    """Return `value`."""
    return value


@call
def noop() -> None:
    """Return at once: the cost of a call."""


@call
def open_file(path: str) -> None:
    """Open `path` for reading and close it; its errno comes back."""
    os.close(os.open(path, os.O_RDONLY))


@call
def wait(seconds: float) -> None:
    """Answer after `seconds`: a call that is slow."""
    time.sleep(seconds)


@call
def system_calls(count: int) -> None:
    """Ask `count` times for the parent's process id: events for a recording of raw_syscalls."""
    for _ in range(count):
        os.getppid()


@listen
def listen_to_system_calls(count: int) -> Generator[None, None, None]:
    """Say ready, then do the system calls while the host acts."""
    yield
    system_calls(count)


@call
def walk(steps: List[str]) -> None:
    """Mark these steps, one system call in each."""
    for name in steps:
        step(name)
        os.getppid()


@call
def shell(command: str, timeout_s: float = 60.0) -> Dict[str, Any]:
    """Run a command by the target's sh; {"status", "output"} (both streams, at most 64 KiB of the end)."""
    process = subprocess.Popen(["sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=timeout_s)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)  # with everything that it started
        process.communicate()
        raise
    return {"status": process.returncode, "output": output[-(64 << 10):].decode("utf-8", "backslashreplace")}


@call
def trace_events() -> List[str]:
    """The events of this kernel and its loaded modules, as system:name."""
    return _tracefs("available_events")


@call
def traceable() -> List[str]:
    """The functions that probes and the function tracer can be set on."""
    return [line.split()[0] for line in _tracefs("available_filter_functions")]


def _tracefs(name: str) -> List[str]:
    try:
        return tracefs.Folder(tracefs.root()).read(name).split("\n")[:-1]
    except FileNotFoundError:
        return []  # not mounted, or a kernel without


@call
def die() -> None:
    """Kill the agent's process, as the kernel would."""
    os.kill(os.getpid(), signal.SIGKILL)


@call
def print_text(text: str) -> None:
    """Print `text`, which must not disturb the frames."""
    sys.stdout.write(text)
    sys.stdout.flush()


@listen
def listen_for_a_file_change(timeout_s: float = 1.0) -> Generator[None, None, str]:
    """Say ready, then answer."""
    yield
    return "ready came first"


@call
def cover(drivers: List[str], buffer_kb: int = BUFFER_KB, look_s: float = LOOK_S) -> Dict[str, str]:
    """Begin to watch which functions of the drivers' modules are entered; driver → module, "" for one that has none.

    `buffer_kb`: for each CPU, read every `look_s` seconds. ENOSYS without the function tracer.
    """
    if Coverage.running:
        Coverage.running.stop()
    modules = {driver: module_of(driver) for driver in drivers}
    root = next((root for root in tracefs.ROOTS if os.path.exists(root + "/set_ftrace_filter")), None)
    if root is None:
        why = "this kernel has no function tracer (CONFIG_FUNCTION_TRACER, CONFIG_DYNAMIC_FTRACE), or we may not use it"
        raise OSError(errno.ENOSYS, why)
    Coverage(root, sorted({module for module in modules.values() if module}), buffer_kb, look_s).start()
    return modules


@call
def covered() -> Dict[str, Any]:
    """What was entered for the first time since `cover`, or since this was asked last.

    entered and functions (all that can be traced) by module, lost: entries that nobody saw. ESRCH when nothing is
    watched: the agent is another one than that which was asked.
    """
    if Coverage.running is None:
        raise OSError(errno.ESRCH, "nothing is watched: ask `cover` first")
    return Coverage.running.new()
