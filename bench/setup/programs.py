"""The kernel tree's own programs for the target, tools/: what our exercisers are measured beside."""
from __future__ import annotations

from pathlib import Path

from bench.setup.cache import Cache, digest
from bench.setup.kernel import COMPILER_PACKAGE, SOURCE_PACKAGE, Kernel
from bench.setup.process import run
from bench.setup.progress import Progress

LIBC_PACKAGE = "libc6-dev-armhf-cross"
# name in the target's usr/bin → source in the kernel tree, folder of include/uapi/linux that it includes from
PROGRAMS = {"spidev_test": ("tools/spi/spidev_test.c", "spi")}
FLAGS = ("-O2", "-Wall", "-D_GNU_SOURCE", "-static", "-s")  # the first three are the kernel's own for tools/spi


def name(versions: dict[str, str]) -> str:
    """Return the artefact's name: the hash of what is built, and of the source's, compiler's and libc's versions."""
    made_with = [versions[package] for package in (SOURCE_PACKAGE, COMPILER_PACKAGE, LIBC_PACKAGE)]
    return f"programs-{digest(PROGRAMS, FLAGS, made_with)}"


def ensure(cache: Cache, kernel: Kernel, versions: dict[str, str], progress: Progress) -> Path:
    """Return a folder with the programs, built when the source or the compiler changed.

    versions: installed version by package name.
    Raises SetupError with tar's or the compiler's words.
    """
    def build(folder: Path) -> None:
        with progress.step(f"the kernel tree's programs ({len(PROGRAMS)})") as step:
            step.update("unpacking")
            sources = [f"{SOURCE_PACKAGE}/{source}" for source, _ in PROGRAMS.values()]
            run(["tar", "--extract", "--occurrence=1", "--file", f"/usr/src/{SOURCE_PACKAGE}.tar.xz",
                 "--directory", str(folder), *sources], "unpacking the kernel tree's programs")
            for program, (source, headers) in PROGRAMS.items():
                step.update(program)
                include = folder / "include/linux"
                include.mkdir(parents=True, exist_ok=True)
                (include / headers).symlink_to(kernel.source_tree / "include/uapi/linux" / headers)
                run([f"{kernel.platform.toolchain}gcc", *FLAGS, f"-I{folder / 'include'}",
                     str(folder / SOURCE_PACKAGE / source), "-o", str(folder / program)], f"building {program}")

    return cache.ensure(name(versions), build, progress.say)
