"""Supervise one QEMU: QEMU, its sockets and its folder are removed when the bench ends, even by SIGKILL.

Run as a program:  supervisor.py FOLDER COMMAND…   Standard input is a pipe from the bench; its end means
that the bench ended (kill -9 included).  QEMU's output goes to FOLDER/qemu.txt.
"""
from __future__ import annotations

import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(folder: str, command: list[str]) -> int:
    """Start `command`, wait for its end or the bench's; return QEMU's exit status."""
    libc = ctypes.CDLL(None)
    with open(os.path.join(folder, "qemu.txt"), "wb") as words:
        qemu = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=words, stderr=words,
            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL),  # if this supervisor is killed
        )
    ended = os.pidfd_open(qemu.pid)
    ready, _, _ = select.select([0, ended], [], [])
    if 0 in ready:
        qemu.kill()
        qemu.wait()
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(folder)
    return qemu.wait()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the bench handles Ctrl-C
    sys.exit(main(sys.argv[1], sys.argv[2:]) & 0xFF)
