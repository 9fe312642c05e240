"""The target's root: Debian packages for ARM, thinned out, with byte code ready for the target's Python."""
from __future__ import annotations

import fnmatch
import os
import shutil
from pathlib import Path

from bench.errors import SetupError
from bench.setup import debian
from bench.setup.cache import Cache, digest
from bench.setup.process import output, run
from bench.setup.progress import Progress, Step
from bench.setup.toolbox import Toolbox

PACKAGES = ("busybox-static", "python3", "kmod", "ethtool", "iproute2", "python3-spidev", "python3-smbus2",
            "python3-usb", "python3-serial", "python3-libgpiod")
ARCHITECTURE = "armhf"

# Every page of the root is copied at each boot.  Patterns of files that no call on the target needs.
_LIB = "usr/lib/arm-linux-gnueabihf"
_PY = "usr/lib/python3.*"
TRIMMED = (
    "dev", "tmp", "var", "etc/*", "usr/include", "usr/local", "usr/games", "usr/src", "usr/libexec", "usr/share/*",
    *(f"usr/bin/{name}" for name in (
        "*deb*", "dpkg*", "py3*", "pdb*", "py*doc*", "pygettext*", "pyserial*", "tar", "update-alternatives", "*stat",
        "rdma", "routel")),
    *(f"usr/sbin/{name}" for name in (
        "arpd", "dcb", "*cap*", "devlink", "dpkg*", "genl", "rmt*", "rt*", "start-stop-daemon", "tarcat", "tipc",
        "vdpa")),
    *(f"usr/lib/{name}" for name in ("dpkg", "systemd", "tmpfiles.d", "debconf*", "mime", "valgrind", "udev")),
    *(f"{_LIB}/{name}" for name in (
        "engines-3", "gconv", "krb5", "ossl-modules", "perl*", "libdb-*", "libexpatw*", "libform*", "libgpiodcxx*",
        "libgssapi*", "libk5*", "libkrb5*", "libmenu*", "libnss_[chn]*", "libncurses*", "libpanel*", "libsqlite3*",
        "libssl*", "libstdc++*")),
    *(f"{_PY}/{name}" for name in (
        "config-*", "__phello__", "_pydecimal.py", "_pyio.py", "_pyrepl", "curses", "dbm", "doctest.py", "ensurepip",
        "idlelib", "lib2to3", "mailbox.py", "pdb.py", "pydoc*", "sqlite3", "sitecustomize.py", "test", "tkinter",
        "turtle*", "unittest", "venv", "wsgiref", "xmlrpc")),
    *(f"{_PY}/lib-dynload/{name}*" for name in ("_codecs_", "_curses", "_dbm", "_gdbm", "_sqlite3", "_ssl", "_test",
                                                "_xxtest", "xx")),
    *(f"{_PY}/encodings/{name}*" for name in ("big5", "cp1", "cp5", "cp6", "cp7", "cp8", "cp9", "cp2", "cp03",
                                              "cp4[2-9]", "euc", "gb", "hp_", "hz", "iso", "johab", "koi8", "kz",
                                              "mac_", "palm", "ptcp", "shift", "tis")),
    "usr/lib/python3/dist-packages/debconf*", "usr/lib/python3/dist-packages/*.*-info",
)


def name() -> str:
    """Return the artefact's name: the hash of its inputs."""
    return f"root-{digest(PACKAGES, TRIMMED, debian.SUITE, 2)}"


def ensure(cache: Cache, toolbox: Toolbox, progress: Progress) -> Path:
    """Return the folder of the target's root, without kernel modules and /init.   Raises SetupError."""
    def build(folder: Path) -> None:
        with progress.step("target root") as step:
            tree = folder / "tree"
            debian.extract(tree, ARCHITECTURE, PACKAGES, (debian.SUITE,), step)
            _trim(tree, step)
            _compile(tree, toolbox, step)

    return cache.ensure(name(), build, progress.say) / "tree"


def _trim(tree: Path, step: Step) -> None:
    step.update("trimming")
    for folder, folders, files in os.walk(tree):
        for entry in [*folders, *files]:
            path = Path(folder, entry)
            if any(fnmatch.fnmatch(str(path.relative_to(tree)), pattern) for pattern in TRIMMED):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                    folders.remove(entry)
                else:
                    path.unlink()


def _compile(tree: Path, toolbox: Toolbox, step: Step) -> None:
    """Compile every module where the target will look for it, never to be compared with its source again."""
    step.update("compiling the target's Python modules")
    version = output([*toolbox.python, "-c", "import sys; print('python%d.%d' % sys.version_info[:2])"],
                     "asking the target's Python for its version").strip()
    if not (tree / "usr/lib" / version).is_dir():
        raise SetupError(f"the target root has no {version}, which its byte code was to be made with: remove both "
                         f"`toolbox-*` and `root-*` from the cache folder and set up again")
    stdlib, packages = tree / "usr/lib" / version, tree / "usr/lib/python3"
    compileall = [*toolbox.python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", str(tree),
                  "-p", "/"]
    run([*compileall, str(packages)], "compiling the target's Python packages")
    # The library comes as byte code only: half the size, and no source to look for at each import.
    run([*compileall, "-b", str(stdlib)], "compiling the target's Python library")
    for source in stdlib.rglob("*.py"):
        source.unlink()
