"""Run in a process of its own what may crash, or hang in the kernel."""
from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any, TypedDict

from drivers.uapi.sysfs import write_errno

# A driver that takes longer to unbind, or to probe, hangs: a second is much, on a busy twin.
STUCK_S = 8.0


class StepResult(TypedDict):
    """How one step ended: errno (0 for none) and end ("done", "stuck", "killed by signal 9")."""

    what: str
    errno: int
    end: str
    seconds: float


class Child:
    """A forked process that runs `work(stop, send)`.

    `stop(seconds)` waits and says whether it must end; `send(value)` sends a JSON
    value to `value()` here.
    """

    def __init__(
        self, work: Callable[[Callable[[float], bool], Callable[[Any], None]], None]
    ) -> None:
        self.begun = time.monotonic()
        self.ended: int | None = None  # wait status
        self._rest = b""
        self._from, theirs = os.pipe()
        stop, self._stop = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self._from)
                os.close(self._stop)
                work(
                    lambda wait: bool(select.select([stop], [], [], wait)[0]),
                    lambda value: _send(theirs, value),
                )
            finally:
                os._exit(0)
        os.close(theirs)
        os.close(stop)

    def stop(self) -> None:
        """Tell it to end."""
        if self._stop >= 0:
            os.close(self._stop)
            self._stop = -1

    def value(self, timeout_s: float) -> Any:
        """The next value that it sends; None when it ended, or sent nothing in time."""
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._from], [], [], left)[0]:
                return None
            part = os.read(self._from, 65536)
            if not part:
                return None
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    def wait(self, timeout_s: float) -> str:
        """Wait until it ends: "done", "killed by signal 9", or "stuck" when it has not in time."""
        deadline = time.monotonic() + timeout_s
        step = 0.001
        while self.ended is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.ended = status
                break
            if time.monotonic() >= deadline:
                return "stuck"
            time.sleep(step)
            step = min(step * 2, 0.02)
        if os.WIFSIGNALED(self.ended):
            return f"killed by signal {os.WTERMSIG(self.ended)}"
        return "done"

    def close(self) -> None:
        """Kill it if it still runs and close its pipes; one that hangs
        in the kernel stays there.
        """
        self.stop()
        if self.ended is None and self.wait(0.0) == "stuck":
            os.kill(self.pid, signal.SIGKILL)
            self.wait(0.5)
        if self._from >= 0:
            os.close(self._from)
            self._from = -1


def _send(fd: int, value: Any) -> None:
    data = memoryview(json.dumps(value).encode() + b"\n")
    while data:
        data = data[os.write(fd, data) :]


class Step:
    """An action that returns an errno, in a process of its own, so that it may hang."""

    def __init__(self, what: str, action: Callable[[], int]) -> None:
        self.what = what
        self.child = Child(lambda stop, send: send(action()))
        self.errno: int | None = None
        self.end = "stuck"
        self.seconds = 0.0

    def wait(self, timeout_s: float = STUCK_S) -> Step:
        """Wait until it ends; may be called again when it was stuck."""
        if self.errno is None:
            self.errno = self.child.value(timeout_s)
            self.end = self.child.wait(STUCK_S if self.errno is not None else 0.0)
            self.seconds = time.monotonic() - self.child.begun
        if self.end != "stuck":
            self.child.close()
        return self

    @property
    def ok(self) -> bool:
        """Whether it ended, without an errno."""
        return self.end == "done" and self.errno == 0

    def result(self) -> StepResult:
        """What goes to the host."""
        seconds = round(self.seconds, 4)
        return {"what": self.what, "errno": self.errno or 0, "end": self.end, "seconds": seconds}


def write(path: str, text: str) -> Step:
    """A step that writes a sysfs attribute."""
    what = f"{text.strip() or '(nothing)'} > {path.replace('/sys/bus/', '')}"
    return Step(what, lambda: write_errno(path, text))
