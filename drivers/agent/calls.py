"""Calls on the agent itself: echo, errno, delay, death, and what the kernel can trace."""
from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from typing import Any, TypedDict

from drivers.agent.call import call, listen
from drivers.agent.coverage import BUFFER_KB, LOOK_S, Coverage, Covered, module_of
from drivers.agent.step import step
from drivers.agent.trace import tracefs


class ShellResult(TypedDict):
    """Exit status of a command, and the last 64 KiB of its stdout and stderr."""

    status: int
    output: str


@call
def echo(value: Any) -> Any:
    """Return `value`."""
    return value


@call
def noop() -> None:
    """Return at once, to measure the cost of a call."""


@call
def open_file(path: str) -> None:
    """Open `path` for reading and close it; its errno comes back."""
    os.close(os.open(path, os.O_RDONLY))


@call
def wait(seconds: float) -> None:
    """Sleep `seconds`: a slow call."""
    time.sleep(seconds)


@call
def system_calls(count: int) -> None:
    """Call getppid(2) `count` times: events for a recording of raw_syscalls."""
    for _ in range(count):
        os.getppid()


@listen
def listen_to_system_calls(count: int) -> Generator[None, None, None]:
    """Be ready, then do the system calls while the host acts."""
    yield
    system_calls(count)


@call
def walk(steps: list[str]) -> None:
    """Mark these steps, one system call in each."""
    for name in steps:
        step(name)
        os.getppid()


@call
def shell(command: str, timeout_s: float = 60.0) -> ShellResult:
    """Run a command with the target's sh."""
    process = subprocess.Popen(
        ["sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=timeout_s)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)  # with its children
        process.communicate()
        raise
    return {
        "status": process.returncode,
        "output": output[-(64 << 10) :].decode("utf-8", "backslashreplace"),
    }


@call
def trace_events() -> list[str]:
    """The events of this kernel and its loaded modules, as system:name."""
    return _tracefs("available_events")


@call
def traceable() -> list[str]:
    """The functions that kprobes and the function tracer can be set on."""
    return [line.split()[0] for line in _tracefs("available_filter_functions")]


def _tracefs(name: str) -> list[str]:
    try:
        return tracefs.Folder(tracefs.root()).read(name).split("\n")[:-1]
    except FileNotFoundError:
        return []  # not mounted, or a kernel without


@call
def die() -> None:
    """SIGKILL the agent's process."""
    os.kill(os.getpid(), signal.SIGKILL)


@call
def print_text(text: str) -> None:
    """Print `text` to standard output; it must not mix with the frames."""
    sys.stdout.write(text)
    sys.stdout.flush()


@listen
def listen_once() -> Generator[None, None, str]:
    """Be ready, then answer."""
    yield
    return "ready came first"


@call
def cover(drivers: list[str], buffer_kb: int = BUFFER_KB, look_s: float = LOOK_S) -> dict[str, str]:
    """Start coverage of the drivers' modules; returns driver → module, "" for a driver without one.

    `buffer_kb` [KiB per CPU] is read every `look_s` seconds. ENOSYS without the function tracer.
    """
    if Coverage.running:
        Coverage.running.stop()
    modules = {driver: module_of(driver) for driver in drivers}
    root = next(
        (root for root in tracefs.ROOTS if os.path.exists(root + "/set_ftrace_filter")), None
    )
    if root is None:
        options = "CONFIG_FUNCTION_TRACER, CONFIG_DYNAMIC_FTRACE"
        why = f"no function tracer ({options}), or no permission to use it"
        raise OSError(errno.ENOSYS, why)
    Coverage(
        root, sorted({module for module in modules.values() if module}), buffer_kb, look_s
    ).start()
    return modules


@call
def covered() -> Covered:
    """Functions that were entered for the first time since `cover`, or since the last `covered`.

    ESRCH when coverage is not running: the agent was restarted after `cover`.
    """
    if Coverage.running is None:
        raise OSError(errno.ESRCH, "coverage is not running: call `cover` first")
    return Coverage.running.collect()
