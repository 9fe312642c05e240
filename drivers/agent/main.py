"""Serve calls over a stream, one at a time; a supervisor reports when the server dies and
restarts it once.

    python3 agent.pyz /dev/virtio-ports/bench.agent     one file for both directions
    python3 agent.pyz /dev/… /run/plugged               the same, once that file exists:
                                                        drivers are still loading
    python3 agent.pyz                                   standard input and output (ssh, serial)
"""
from __future__ import annotations

import os
import sys
import time

from drivers.agent import frame
from drivers.agent.port import Port
from drivers.agent.server import serve

PLUGGED_S, POLL_S = 20.0, 0.01  # for drivers to load; a probe of the board shows those that do not
RESTARTS = 1  # after two deaths it would die again


def main(arguments: list[str]) -> int:
    """Open the stream, supervise the server, and return the exit status."""
    if arguments:
        reading = writing = os.open(arguments[0], os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    else:
        reading, writing = os.dup(0), os.dup(1)
        os.dup2(2, 1)  # output of a call must not mix with the frames
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
    port = Port(reading, writing)
    for turn in range(RESTARTS + 1):
        pid = os.fork()
        if pid == 0:
            status = 70
            try:
                for path in arguments[1:]:
                    _wait_for(path)
                status = serve(port, turn)
            except (EOFError, BrokenPipeError):
                status = 0
            except frame.FrameError as e:
                port.write({"broken": str(e)})
            finally:
                os._exit(status)
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
            return 0
        port.write({"died": _how(status), "restarted": turn < RESTARTS})
    return 1


def _wait_for(path: str) -> None:
    deadline = time.monotonic() + PLUGGED_S
    while not os.path.exists(path) and time.monotonic() < deadline:
        time.sleep(POLL_S)


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"killed by signal {os.WTERMSIG(status)}"
    return f"exit status {os.WEXITSTATUS(status)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
