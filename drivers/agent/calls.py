"""Calls that exercise the agent itself: echo, error, delay, death.  `make bench` and the bench's tests use them."""
from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any, Generator

from drivers.call import call, listen


@call
def echo(value: Any) -> Any:
    """Return `value`."""
    return value


@call
def nothing_to_do() -> None:
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
