"""Everything that a twin needs, there when `prepare` returns."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench import paths
from bench.setup import initramfs, kernel, modules, packages, programs, root, toolbox
from bench.setup.cache import Cache
from bench.setup.progress import Progress, for_stream


@dataclass(frozen=True)
class Artefacts:
    """What set-up made: commands are prefixes to put arguments after, paths are absolute."""

    qemu: tuple[str, ...]
    target_python: tuple[str, ...]  # runs on the host, makes byte code for the target's Python
    kernel: Path  # zImage
    kernel_version: str  # as `uname -r` says
    kernel_source: str  # version of the Debian package it was built from
    config: Path  # the kernel's .config
    config_hash: str  # of the fragments put together
    system_map: Path
    modules: Path  # the folder with lib/modules/<version>, without our own
    own_modules: Path  # the folder with the .ko of fixtures/modules
    build_tree: Path  # make's O= for modules
    source_tree: Path
    devicetrees: Path  # the real boards' .dtb
    initramfs: Path
    dtc: Path


def prepare(progress: Progress | None = None, *, tests: bool = False, bench: bool = False, project: Path = paths.HOME,
            cache: Cache | None = None) -> Artefacts:
    """Make what is missing, and return it all; under a second when nothing is.

    progress: where long steps are shown; standard error by default.
    tests, bench: also install what only `make test`, what only `make bench` needs.
    Raises SetupError, in one line that says what is missing and what to do.
    """
    progress = progress or for_stream()
    cache = cache or Cache()
    versions = packages.ensure([*packages.NEEDED, *(packages.FOR_TESTS if tests else ()),
                                *(packages.FOR_BENCH if bench else ())], progress)
    tools = toolbox.ensure(cache, progress)
    built = kernel.ensure(cache, project, versions, progress)
    own = modules.ensure(cache, project, built, progress)
    tree = root.ensure(cache, tools, progress)
    tools_of_kernel = programs.ensure(cache, built, versions, progress)
    image = initramfs.ensure(cache, tree, built, own, tools_of_kernel, progress)
    return Artefacts(
        qemu=tools.qemu, target_python=tools.python, kernel=built.image, kernel_version=built.release,
        kernel_source=built.source_version, config=built.folder / "config", config_hash=built.config_hash,
        system_map=built.folder / "System.map", modules=built.folder / "root", own_modules=own,
        build_tree=built.build_tree, source_tree=built.source_tree, devicetrees=built.folder / "devicetrees",
        initramfs=image, dtc=built.folder / "dtc")
