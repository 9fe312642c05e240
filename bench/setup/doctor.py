"""Every prerequisite, present or missing, with what to do about it; nothing is changed by looking."""
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
DISK_BYTES = 3 << 30  # a kernel build at its largest, beside everything else
TARGET = "make setup"


@dataclass(frozen=True)
class Finding:
    """One prerequisite: whether it is there, what was seen, and the fix when it is not."""

    name: str
    present: bool
    detail: str
    fix: str = ""


def examine(project: Path, cache: Path | None = None) -> list[Finding]:
    """Look at each prerequisite in turn and return what was found."""
    folder = cache or default_folder()
    return [_python(), *_packages(), _rights(), _mirror(), _disk(folder), _fragments(project),
            *_artefacts(project, folder)]


def text(findings: list[Finding]) -> str:
    """Return the findings as lines for a person: present or missing, and the fix under what is missing."""
    width = max(len(f.name) for f in findings)
    lines = []
    for f in findings:
        lines.append(f"{'present' if f.present else 'MISSING'}  {f.name:<{width}}  {f.detail}".rstrip())
        if not f.present:
            lines.append(f"         {'':<{width}}  fix: {f.fix}")
    return "\n".join(lines)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python ≥ 3.11", sys.version_info >= PYTHON, version,
                   "apt-get install python3, on Debian 12 or later")


def _packages() -> Iterator[Finding]:
    for kind, names in (("", packages.NEEDED), (" (tests)", packages.FOR_TESTS), (" (bench)", packages.FOR_BENCH)):
        versions = packages.installed(names)
        for name, use in names.items():
            yield Finding(f"package {name}{kind}", name in versions, versions.get(name, use),
                          f"{packages.install_command([name])}   (or {TARGET})")


def _rights() -> Finding:
    missing = [name for name in packages.NEEDED if name not in packages.installed(packages.NEEDED)]
    able = os.geteuid() == 0 or shutil.which("sudo") is not None
    detail = "root" if os.geteuid() == 0 else "sudo" if able else "neither root nor sudo"
    needed = f"needed for: {' '.join(missing)}" if missing else "no package is missing"
    return Finding("rights to install packages", able or not missing, f"{detail}; {needed}",
                   f"as root: {packages.install_command(missing).removeprefix('sudo ')}")


def _mirror() -> Finding:
    return _tried("Debian mirror", debian.mirror,
                  "set BENCH_DEBIAN_MIRROR to what stands before /dists in apt's sources")


def _disk(folder: Path) -> Finding:
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(existing).free
    done = any(folder.glob("initramfs-*"))
    return Finding("disk space", free >= DISK_BYTES or done, f"{free >> 20} MB free in {existing}",
                   f"free {DISK_BYTES >> 20} MB there, or set XDG_CACHE_HOME to a larger place")


def _fragments(project: Path) -> Finding:
    def seen() -> str:
        files = fragments.find(project, *paths.outside())
        return f"{len(fragments.read(files, project))} options in {len(files)} files"
    return _tried("kernel fragments", seen, "correct that line")


def _artefacts(project: Path, folder: Path) -> Iterator[Finding]:
    """Look for each artefact by the name that it has with the project's files as they are now."""
    own = toolbox.host_qemu()
    if own:
        yield Finding("QEMU", True, f"the host's own {own[0]}")
    yield _artefact("QEMU's folder", folder / toolbox.name())
    yield _artefact("target root", folder / root.name())
    versions = packages.installed([kernel.SOURCE_PACKAGE, kernel.COMPILER_PACKAGE, programs.LIBC_PACKAGE])
    try:
        config = fragments.merged(fragments.read(fragments.find(project, *paths.outside()), project))
        built, tools = kernel.name(config, versions), programs.name(versions)
    except (SetupError, KeyError):  # a wrong fragment or a missing package, shown above
        yield Finding("kernel", False, "depends on what is missing above", TARGET)
        return
    extra = modules.name(project, built)
    yield _artefact("kernel", folder / built)
    yield _artefact("modules of our own", folder / extra)
    yield _artefact("the kernel tree's programs", folder / tools)
    yield _artefact("initramfs", folder / initramfs.name(root.name(), built, extra, tools))


def _artefact(name: str, path: Path) -> Finding:
    if path.is_dir():
        return Finding(name, True, str(path))
    return Finding(name, False, f"none for the files as they are now ({path.name})", TARGET)


def _tried(name: str, look: Callable[[], str], fix: str) -> Finding:
    try:
        return Finding(name, True, look())
    except SetupError as e:
        return Finding(name, False, str(e), fix)
