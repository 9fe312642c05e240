"""Run one of set-up's programs: its lines go to a progress step and a log; it is killed when this process ends.

A build has many children (make, its sub-makes, compilers).  They are one process group, watched by a shell that
holds the other end of a pipe of ours: when this process ends, however it ends, the pipe closes and the group is killed.
The terminal's session stays the same, so that sudo still knows the user who has just given a password.
"""
from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from bench.errors import SetupError

_GUARD = '''
exec 3<&0 </dev/null
"$@" 3<&- & child=$!
( read _ <&3; kill -KILL 0 ) >/dev/null 2>&1 & watch=$!
wait $child; status=$?
kill -KILL $watch
exit $status
'''
_TELLING = re.compile(r"^E: |\berror\b|\bfatal\b|No such file|No space|No rule|not found", re.IGNORECASE)
_LAST = 200  # lines of output that a failure can quote from


def run(command: Sequence[str], doing: str, on_line: Callable[[str], None] = lambda line: None, *,
        cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run `command` to its end and return its last lines (standard output and error together).

    doing: its purpose, for the error's text ("building the kernel").
    on_line: called with each line.
    Raises SetupError with the first line that looks like the reason, else the last one.
    """
    try:
        process = subprocess.Popen(["sh", "-c", _GUARD, "guard", *command], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                   cwd=cwd, env={**os.environ, "LC_ALL": "C", **(env or {})}, process_group=0)
    except OSError as e:
        raise SetupError(f"{doing}: cannot start {command[0]}: {e.strerror}") from e
    lines: deque[str] = deque(maxlen=_LAST)
    assert process.stdout is not None and process.stdin is not None
    try:
        for line in process.stdout:
            lines.append(line.rstrip())
            on_line(line.rstrip())
        status = process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    finally:
        process.stdin.close()
        process.stdout.close()
    if status != 0:
        raise SetupError(f"{doing} failed (exit {status}): {_reason(lines)}; "
                         f"the command was: {shlex.join(command)[:300]}")
    return "\n".join(lines)


def output(command: Sequence[str], doing: str) -> str:
    """Return what a quick command prints on standard output.   Raises SetupError with its error output."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False,
                              env={**os.environ, "LC_ALL": "C"})
    except OSError as e:
        raise SetupError(f"{doing}: cannot start {command[0]}: {e.strerror}") from e
    if done.returncode != 0:
        raise SetupError(f"{doing} failed: {_reason(done.stderr.splitlines())}")
    return done.stdout


def _reason(lines: Iterable[str]) -> str:
    """Return the first line with the cause; make's own messages only repeat that something failed."""
    output = [line.strip() for line in lines if line.strip()]
    own = [line for line in output if not re.match(r"make(\[\d+\])?:", line)]
    telling = [line for line in own if _TELLING.search(line)]
    return (telling or own[-1:] or output[-1:] or ["no output"])[0]
