"""Do in a process of its own what the kernel may not survive, or not come back from."""
from __future__ import annotations

import json
import os
import select
import signal
import time
from typing import Any, Callable, Dict, List, Optional

from drivers.uapi.sysfs import write_errno

STUCK_S = 8.0  # a driver that takes longer to let a device go, or to take it, hangs: a second is much, on a busy twin


class Child:
    """A forked process that runs `work(stop, tell)`; `tell(value)` sends a value here, `stop()` says when to end."""

    def __init__(self, work: Callable[[Callable[[float], bool], Callable[[Any], None]], None]) -> None:
        self.begun = time.monotonic()
        self.ended: Optional[int] = None  # wait status
        self.values: List[Any] = []
        self._rest = b""
        self._from, theirs = os.pipe()
        mine, self._stop = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self._from)
                os.close(self._stop)
                work(lambda wait: bool(select.select([mine], [], [], wait)[0]),
                     lambda value: _send(theirs, value))
            finally:
                os._exit(0)
        os.close(theirs)
        os.close(mine)

    def stop(self) -> None:
        """Ask it to end."""
        if self._stop >= 0:
            os.close(self._stop)
            self._stop = -1

    def value(self, timeout_s: float) -> Any:
        """The next value that it tells; None when it ended, or told nothing in time."""
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
        """Wait for its end: "done", "killed by signal 9", or "stuck" when it has not ended in time."""
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
        return "killed by signal %d" % os.WTERMSIG(self.ended) if os.WIFSIGNALED(self.ended) else "done"

    def close(self) -> None:
        """Kill it if it is still there, and close what leads to it; one that hangs in the kernel stays there."""
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
        data = data[os.write(fd, data):]


class Step:
    """One thing asked of the kernel, done in a process of its own: what, its errno, how it ended, and its seconds."""

    def __init__(self, what: str, action: Callable[[], int]) -> None:
        self.what = what
        self.child = Child(lambda stop, tell: tell(action()))
        self.errno: Optional[int] = None
        self.end = "stuck"
        self.seconds = 0.0

    def wait(self, timeout_s: float = STUCK_S) -> Step:
        """Wait for its end; may be asked again when it was stuck."""
        if self.errno is None:
            self.errno = self.child.value(timeout_s)
            self.end = self.child.wait(STUCK_S if self.errno is not None else 0.0)
            self.seconds = time.monotonic() - self.child.begun
        if self.end != "stuck":
            self.child.close()
        return self

    @property
    def ok(self) -> bool:
        """Whether the kernel did it."""
        return self.end == "done" and self.errno == 0

    def told(self) -> Dict[str, Any]:
        """As it goes to the host."""
        return {"what": self.what, "errno": self.errno or 0, "end": self.end, "seconds": round(self.seconds, 4)}


def write(path: str, text: str) -> Step:
    """A step that writes a sysfs file."""
    what = f"{text.strip() or '(nothing)'} > {path.replace('/sys/bus/', '')}"
    return Step(what, lambda: write_errno(path, text))
