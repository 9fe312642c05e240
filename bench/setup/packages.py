"""Debian packages that set-up needs, installed when missing (root or sudo), or named with the command to type."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping

from bench.errors import SetupError
from bench.setup.kernel import COMPILER_PACKAGE, SOURCE_PACKAGE
from bench.setup.process import output, run
from bench.setup.programs import LIBC_PACKAGE
from bench.setup.progress import Progress, Step

# The purpose of each, as `bench doctor` shows it.
NEEDED: Mapping[str, str] = {
    SOURCE_PACKAGE: "the kernel's source",
    COMPILER_PACKAGE: "cross-compiler for the kernel",
    LIBC_PACKAGE: "the kernel tree's own programs, for the target",
    "gcc": "the kernel's build tools",
    "libc6-dev": "the kernel's build tools",
    "make": "the kernel's build",
    "flex": "the kernel's configuration",
    "bison": "the kernel's configuration",
    "bc": "the kernel's build",
    "ccache": "a kernel build after a change of options in a fraction of the time",
    "xz-utils": "unpacking the kernel's source",
    "lz4": "packing the kernel and the target root",
    "kmod": "depmod for the target's modules",
    "mmdebstrap": "QEMU's folder and the target root",
    "debian-archive-keyring": "checking the packages in them",
}
FOR_TESTS: Mapping[str, str] = {
    "openssh-client": "reaches the tests' lab board, as labgrid does",
    "trace-cmd": "reads our trace.dat files in the tests",
    "tcpdump": "reads our pcap files in the tests",
    "chromium": "looks at the HTML report in the tests",
}
FOR_BENCH: Mapping[str, str] = {
    "trace-cmd": "what our decoder is measured beside",
    "libtracecmd-dev": "the same, from C",
    "libtracefs-dev": "its headers, which Debian 12's libtracecmd-dev does not ask for",
    "libtraceevent-dev": "the same",
}


def installed(names: Iterable[str]) -> dict[str, str]:
    """Return the version of each of `names` that is installed."""
    # dpkg-query's status is 1 when it does not know one of the names: that is an answer, not a failure.
    wanted = list(names)
    listing = output(["sh", "-c", 'dpkg-query -W -f "$@" 2>/dev/null || test $? = 1', "sh",
                      r"${Package} ${db:Status-Status} ${Version}\n", *wanted], "asking dpkg what is installed")
    rows = (line.split() for line in listing.splitlines())
    return {row[0]: row[2] for row in rows if len(row) == 3 and row[1] == "installed"}


def ensure(names: Iterable[str], progress: Progress) -> dict[str, str]:
    """Return the version of each package, after installing those that are missing.

    Raises SetupError with the command to type when this user may not install packages, or with apt's own words.
    """
    wanted = list(names)
    versions = installed(wanted)
    missing = [name for name in wanted if name not in versions]
    if missing:
        prefix = _privilege(missing)
        with progress.step(f"packages ({len(missing)})") as step:
            _apt(prefix, ["update"], "updating apt's lists", step)
            _apt(prefix, ["install", "--yes", "--no-install-recommends", *missing],
                 f"installing {' '.join(missing)}", step)
        versions = installed(wanted)
    return versions


def install_command(names: Iterable[str]) -> str:
    """Return the command that installs `names`."""
    return f"sudo apt-get install --no-install-recommends {' '.join(names)}"


def _privilege(missing: list[str]) -> list[str]:
    """Return the prefix of apt-get to become root."""
    if os.geteuid() == 0:
        return []
    lacks = f"missing packages: {' '.join(missing)}"
    if shutil.which("sudo") is None:
        raise SetupError(f"{lacks}; this user is not root and there is no sudo: as root type: "
                         f"{install_command(missing).removeprefix('sudo ')}")
    sudo = ["sudo"] if sys.stdin.isatty() else ["sudo", "--non-interactive"]
    # It may ask for the password here, on the terminal; the commands after it run in the background.
    if subprocess.run([*sudo, "--validate"], check=False).returncode != 0:
        raise SetupError(f"{lacks}; sudo refused; as a user who may, type: {install_command(missing)}")
    return sudo


def _apt(prefix: list[str], arguments: list[str], doing: str, step: Step) -> None:
    def on_line(line: str) -> None:
        # dlstatus:1:12.5:Retrieving file 1 of 8 · pmstatus:lz4:33.3:Unpacking lz4   (apt's README.progress-reporting)
        kind, *rest = line.split(":", 3)
        if kind in ("dlstatus", "pmstatus") and len(rest) == 3:
            share = float(rest[1]) / 2
            step.update(rest[2], share if kind == "dlstatus" else 50 + share, 100)
        elif line.strip():
            step.update(line.strip())

    run([*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "-o", "APT::Status-Fd=1",
         "-o", "DPkg::Lock::Timeout=120", *arguments], doing, on_line)
