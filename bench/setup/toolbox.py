"""Host tools that an older Debian lacks, run from a folder with its own loader: QEMU, and the target's Python.

QEMU needs vfio-user (10.1 and later).  The Python is the target root's own version, for the host: byte code made
by it is read by the target's.
"""
from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.errors import SetupError
from bench.setup import debian
from bench.setup.cache import Cache, digest
from bench.setup.progress import Progress

PACKAGES = ("qemu-system-arm", "python3-minimal", "libpython3-stdlib")
SUITES = (debian.SUITE, debian.BACKPORTS)
MINIMUM = (10, 1)
DEVICE = "vfio-user-pci"
_TRIMMED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "var")
_LIBRARIES = ("usr/lib/x86_64-linux-gnu", "usr/lib")


@dataclass(frozen=True)
class Toolbox:
    """Commands, each a prefix to put arguments after."""

    qemu: tuple[str, ...]
    python: tuple[str, ...]


def name() -> str:
    """Return the artefact's name: the hash of its inputs."""
    return f"toolbox-{digest(PACKAGES, SUITES, _TRIMMED)}"


def ensure(cache: Cache, progress: Progress) -> Toolbox:
    """Return QEMU (the host's if it is recent enough) and the target's Python.   Raises SetupError."""
    def build(folder: Path) -> None:
        with progress.step("QEMU's folder") as step:
            debian.extract(folder / "tree", "amd64", PACKAGES, SUITES, step)
            for part in _TRIMMED:
                shutil.rmtree(folder / "tree" / part, ignore_errors=True)  # not every release has each of them
            qemu = _qemu(folder / "tree")
            if DEVICE not in _output(*qemu, "-M", "none", "-device", "help"):
                raise SetupError(f"the QEMU of {debian.BACKPORTS} has no {DEVICE}: {_output(*qemu, '--version')[:80]}")

    tree = cache.ensure(name(), build, progress.say) / "tree"
    return Toolbox(host_qemu() or _qemu(tree), _from(tree, "python3"))


def host_qemu() -> tuple[str, ...] | None:
    """Return the host's own QEMU when it is new enough and has vfio-user, else None."""
    program = shutil.which("qemu-system-arm")
    if program is None:
        return None
    version = re.search(r"version (\d+)\.(\d+)", _output(program, "--version"))
    if version is None or (int(version[1]), int(version[2])) < MINIMUM:
        return None
    return (program,) if DEVICE in _output(program, "-M", "none", "-device", "help") else None


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return done.stdout + done.stderr


def _qemu(tree: Path) -> tuple[str, ...]:
    return _from(tree, "qemu-system-arm", "-L", str(tree / "usr/share/qemu"))


def _from(tree: Path, program: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs `program` of `tree` with the libraries of `tree`."""
    libraries = ":".join(str(tree / folder) for folder in _LIBRARIES)
    return ("env", f"QEMU_MODULE_DIR={tree / _LIBRARIES[0] / 'qemu'}", f"PYTHONHOME={tree / 'usr'}",
            str(tree / "usr/lib64/ld-linux-x86-64.so.2"), "--library-path", libraries,
            str(tree / "usr/bin" / program), *arguments)
