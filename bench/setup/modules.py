"""The project's own kernel modules, fixtures/modules/<name>/, built against the kernel without building it again."""
from __future__ import annotations

import shutil
from pathlib import Path

from bench.errors import SetupError
from bench.setup.cache import Cache, digest, digest_files
from bench.setup.kernel import Kernel, make_command
from bench.setup.process import run
from bench.setup.progress import Progress


def find(project: Path) -> list[Path]:
    """Return the folder of each module, sorted."""
    return sorted(path.parent for path in (project / "fixtures/modules").glob("*/Kbuild"))


def name(project: Path, kernel: str) -> str:
    """Return the artefact's name: the hash of the modules' sources and of the kernel's name."""
    sources = [file for folder in find(project) for file in folder.rglob("*") if file.name == "Kbuild"
               or file.suffix in (".c", ".h", ".S")]
    return f"modules-{digest(kernel, digest_files(sources, project))}"


def ensure(cache: Cache, project: Path, kernel: Kernel, progress: Progress) -> Path:
    """Return a folder with the .ko of every module, built when the kernel or a source changed.

    Raises SetupError with the compiler's words.
    """
    folders = find(project)

    def build(folder: Path) -> None:
        with progress.step(f"modules of our own ({len(folders)})") as step:
            for number, module in enumerate(folders):
                step.update(module.name, number, len(folders))
                _build(kernel, module, folder)

    return cache.ensure(name(project, kernel.folder.name), build, progress.say)


def _build(kernel: Kernel, module: Path, folder: Path) -> None:
    work = folder / "work"
    shutil.copytree(module, work)  # kbuild writes beside the sources
    run([*make_command(kernel.folder, kernel.platform, "modules"), f"M={work}"], f"building the module {module.name}")
    built = list(work.glob("*.ko"))
    if not built:
        raise SetupError(f"{module}/Kbuild makes no module: expected a line like obj-m := {module.name}.o")
    for ko in built:
        run([f"{kernel.platform.toolchain}strip", "--strip-debug", str(ko), "-o", str(folder / ko.name)],
            f"stripping {ko.name}")
    shutil.rmtree(work)
