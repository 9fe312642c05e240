"""Every prerequisite, present or missing, and how to install it; changes nothing."""
from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import paths
from bench.errors import SetupError
from bench.setup import debian, fragments, initramfs, kernel, modules, packages, programs, root, toolbox
from bench.setup.cache import default_folder

PYTHON = (3, 11)
DISK_BYTES = 3 << 30  # a kernel build at its largest, and everything else
TARGET = "make setup"


@dataclass(frozen=True)
class Prerequisite:
    """One prerequisite: whether it is there, what was seen, and the fix when it is not."""

    name: str
    present: bool
    detail: str
    fix: str = ""


def examine(project: Path, cache: Path | None = None) -> list[Prerequisite]:
    """Each prerequisite, in the order in which they are needed."""
    folder = cache or default_folder()
    return [_python(), *_packages(), _rights(), _mirror(), _disk(folder), _fragments(project),
            *_artefacts(project, folder)]


def text(prerequisites: list[Prerequisite]) -> str:
    """Return the prerequisites as lines for a person: present or missing, and the fix under what is missing."""
    width = max(len(f.name) for f in prerequisites)
    lines = []
    for f in prerequisites:
        lines.append(f"{'present' if f.present else 'MISSING'}  {f.name:<{width}}  {f.detail}".rstrip())
        if not f.present:
            lines.append(f"         {'':<{width}}  fix: {f.fix}")
    return "\n".join(lines)


def _python() -> Prerequisite:
    version = ".".join(map(str, sys.version_info[:3]))
    return Prerequisite("Python ≥ 3.11", sys.version_info >= PYTHON, version,
                   "apt-get install python3, on Debian 12 or later")


def _packages() -> Iterator[Prerequisite]:
    for kind, names in (("", packages.NEEDED), (" (tests)", packages.FOR_TESTS), (" (bench)", packages.FOR_BENCH)):
        versions = packages.installed(names)
        for name, use in names.items():
            yield Prerequisite(f"package {name}{kind}", name in versions, versions.get(name, use),
                          f"{packages.install_command([name])}   (or {TARGET})")


def _rights() -> Prerequisite:
    missing = [name for name in packages.NEEDED if name not in packages.installed(packages.NEEDED)]
    able = os.geteuid() == 0 or shutil.which("sudo") is not None
    detail = "root" if os.geteuid() == 0 else "sudo" if able else "neither root nor sudo"
    needed = f"needed for {' '.join(missing)}" if missing else "no package is missing"
    return Prerequisite("rights to install packages", able or not missing, f"{detail}; {needed}",
                   f"as root: {packages.install_command(missing).removeprefix('sudo ')}")


def _mirror() -> Prerequisite:
    return _tried("Debian mirror", debian.mirror,
                  "set BENCH_DEBIAN_MIRROR to the mirror's URL, as in apt's sources, up to /dists")


def _disk(folder: Path) -> Prerequisite:
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(existing).free
    done = any(folder.glob("initramfs-*"))
    return Prerequisite("disk space", free >= DISK_BYTES or done, f"{free >> 20} MB free in {existing}",
                   f"free {DISK_BYTES >> 20} MB there, or set XDG_CACHE_HOME to a larger place")


def _fragments(project: Path) -> Prerequisite:
    def seen() -> str:
        files = fragments.find(project, *paths.outside())
        return f"{len(fragments.read(files, project))} options in {len(files)} files"
    return _tried("kernel fragments", seen, "correct that line")


def _artefacts(project: Path, folder: Path) -> Iterator[Prerequisite]:
    """Look for each artefact by the name that it has for the current sources."""
    own = toolbox.host_qemu()
    if own:
        yield Prerequisite("QEMU", True, f"the host's own {own[0]}")
    yield _artefact("QEMU's folder", folder / toolbox.name())
    yield _artefact("target root", folder / root.name())
    versions = packages.installed([kernel.SOURCE_PACKAGE, kernel.COMPILER_PACKAGE, programs.LIBC_PACKAGE])
    try:
        config = fragments.merged(fragments.read(fragments.find(project, *paths.outside()), project))
        built, tools = kernel.name(config, versions, kernel.platform()), programs.name(versions)
    except (SetupError, KeyError):  # a wrong fragment or a missing package, shown above
        yield Prerequisite("kernel", False, "cannot be built before what is missing above", TARGET)
        return
    extra = modules.name(project, built)
    yield _artefact("kernel", folder / built)
    yield _artefact("the bench's kernel modules", folder / extra)
    yield _artefact("the kernel tree's programs", folder / tools)
    yield _artefact("initramfs", folder / initramfs.name(root.name(), built, extra, tools))


def _artefact(name: str, path: Path) -> Prerequisite:
    if path.is_dir():
        return Prerequisite(name, True, str(path))
    return Prerequisite(name, False, f"not built for the current sources ({path.name})", TARGET)


def _tried(name: str, look: Callable[[], str], fix: str) -> Prerequisite:
    try:
        return Prerequisite(name, True, look())
    except SetupError as e:
        return Prerequisite(name, False, str(e), fix)
