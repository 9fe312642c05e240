"""The kernel: Debian's source, the fragments of every folder, one image for the real SoC and its twin.

What is kept of a build: zImage, System.map, .config, the modules (stripped, with modules.dep), the board's devicetree
blobs, and as much of source and build tree as modules of our own need to be built against it.
"""
from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench import board as boards
from bench import paths
from bench.board import Board
from bench.errors import SetupError
from bench.setup import fragments
from bench.setup.cache import Cache, digest
from bench.setup.process import run
from bench.setup.progress import Progress, Step

SOURCE_PACKAGE = "linux-source-6.12"
COMPILER_PACKAGE = "gcc-arm-linux-gnueabihf"
IMAGES = {"arm": "zImage"}  # by architecture: what the target root and QEMU here are made for
LINES = 1790  # lines that make prints for this configuration; the bar's scale, nothing depends on it

# Not unpacked: sources of other architectures and of a family that no fragment asks for; their Kconfig files stay.
_NOT_ARM = ("alpha", "arc", "csky", "hexagon", "loongarch", "m68k", "microblaze", "mips", "nios2", "openrisc", "parisc",
            "powerpc", "riscv", "s390", "sh", "sparc", "um", "xtensa")
_LEFT_OUT = (*(f"*/arch/{name}/*.[chS]" for name in _NOT_ARM), *(f"*/arch/{name}/*.dts*" for name in _NOT_ARM),
             "*/drivers/gpu/*.[ch]", "*/Documentation/*.rst",
             "*/Documentation/*.yaml", "*/tools/testing/*", "*/tools/perf/*")


@dataclass(frozen=True)
class Platform:
    """The platform of a kernel: make's ARCH and CROSS_COMPILE, and the devicetrees built beside it."""

    architecture: str = "arm"
    toolchain: str = "arm-linux-gnueabihf-"
    devicetrees: tuple[str, ...] = ()

    @classmethod
    def of(cls, everything: Iterable[Board]) -> Platform:
        """The one of all boards that have a twin: they share the kernel.  Raises SetupError when they differ."""
        everything = list(everything)
        first: Board | None = None
        for board in everything:
            if board.twin is None:
                continue
            first = first or board
            for key in ("architecture", "toolchain"):
                if getattr(board, key) != getattr(first, key):
                    raise SetupError(f"{board.folder}/board.yaml: {key}: {getattr(board, key)}, but {first.name} has "
                                     f"{getattr(first, key)}; all twins share one kernel")
            if board.architecture not in IMAGES:
                raise SetupError(f"{board.folder}/board.yaml: architecture: a twin can be one of {', '.join(IMAGES)}, "
                                 f"not {board.architecture}")
        if first is None:
            return cls()
        same = [board for board in everything if board.architecture == first.architecture]
        trees = sorted({tree for board in same for tree in board.devicetrees})
        return cls(first.architecture, first.toolchain, tuple(trees))


def platform() -> Platform:
    """What the kernel of all known boards is built for."""
    return Platform.of(map(boards.load, boards.names()))


@dataclass(frozen=True)
class Kernel:
    """A built kernel."""

    folder: Path
    config_hash: str  # of the merged fragments
    source_version: str  # of the Debian package
    platform: Platform = Platform()

    @property
    def image(self) -> Path:
        """The zImage."""
        return self.folder / "zImage"

    @property
    def release(self) -> str:
        """As `uname -r` says on the target."""
        return (self.folder / "release").read_text().strip()

    @property
    def build_tree(self) -> Path:
        """For modules of our own: make's O=."""
        return self.folder / "build"

    @property
    def source_tree(self) -> Path:
        """The source that build_tree belongs to."""
        return self.folder / "source"


def name(config: str, versions: dict[str, str], platform: Platform) -> str:
    """Return the artefact's name: a hash of the merged fragments, source's and compiler's version, and the platform."""
    inputs: list[object] = [versions[SOURCE_PACKAGE], versions[COMPILER_PACKAGE], config, _LEFT_OUT,
                            platform.devicetrees, 1]
    if platform != Platform(devicetrees=platform.devicetrees):
        inputs += [platform.architecture, platform.toolchain]
    return f"kernel-{digest(*inputs)}"


def ensure(cache: Cache, project: Path, versions: dict[str, str], progress: Progress) -> Kernel:
    """Return the kernel of the project's fragments, built when source, compiler or an option changed.

    versions: installed version by package name.
    Raises SetupError.
    """
    options = fragments.read(fragments.find(project, *paths.outside()), project)
    config = fragments.merged(options)
    version, target = versions[SOURCE_PACKAGE], platform()

    def build(folder: Path) -> None:
        with progress.step(f"kernel source {version}") as step:
            _unpack(folder / "source", step)
        with progress.step("kernel build") as step:
            _build(folder, target, options, config, step)
        with progress.step("kernel modules") as step:
            _collect(folder, target, step)

    return Kernel(cache.ensure(name(config, versions, target), build, progress.say), digest(config), version, target)


def make_command(folder: Path, platform: Platform, *targets: str) -> list[str]:
    """Return the make command for a kernel's folder with its `source` and `build`."""
    return ["env", f"CCACHE_DIR={folder.parent / 'ccache'}", "CCACHE_MAXSIZE=1G",
            "make", "-C", str(folder / "source"), f"O={folder / 'build'}", f"ARCH={platform.architecture}",
            f"CROSS_COMPILE={platform.toolchain}", f"CC=ccache {platform.toolchain}gcc",
            "KBUILD_BUILD_USER=bench", "KBUILD_BUILD_HOST=bench", *targets]


def _unpack(source: Path, step: Step) -> None:
    archive = Path(f"/usr/src/{SOURCE_PACKAGE}.tar.xz")
    if not archive.is_file():
        raise SetupError(f"{archive} is missing although {SOURCE_PACKAGE} is installed; reinstall that package")
    source.mkdir()
    seen = 0

    def on_line(line: str) -> None:
        nonlocal seen
        seen += 1
        if seen % 200 == 0:
            step.update(line, seen, 58_000)

    run(["tar", "--extract", "--verbose", "--file", str(archive), "--strip-components=1", "--directory", str(source),
         "--no-same-owner", *(f"--exclude={pattern}" for pattern in _LEFT_OUT)], "unpacking the kernel source", on_line)


def _build(folder: Path, platform: Platform, options: dict[str, fragments.Option], config: str, step: Step) -> None:
    (folder / "build").mkdir()
    wanted = folder / "fragment.config"
    wanted.write_text(config)
    step.update("configuring", 0, LINES)
    run([*make_command(folder, platform, "allnoconfig"), f"KCONFIG_ALLCONFIG={wanted}"], "configuring the kernel")
    fragments.verify(options, folder / "build/.config")
    seen = 0

    def on_line(line: str) -> None:
        nonlocal seen
        if line.startswith("  "):
            seen += 1
            step.update(line.strip(), min(seen, LINES - 1))

    jobs = len(os.sched_getaffinity(0))
    targets = (IMAGES[platform.architecture], "modules", *platform.devicetrees)
    run([*make_command(folder, platform, *targets), f"-j{jobs}"], "building the kernel", on_line)


def _collect(folder: Path, platform: Platform, step: Step) -> None:
    build = folder / "build"
    step.update("installing and stripping")
    run([*make_command(folder, platform, "modules_install"), f"INSTALL_MOD_PATH={folder / 'root'}",
         "INSTALL_MOD_STRIP=1"], "installing the kernel's modules")
    release = (build / "include/config/kernel.release").read_text().strip()
    modules = folder / "root/lib/modules" / release
    for link in ("build", "source"):
        (modules / link).unlink(missing_ok=True)
    (folder / "release").write_text(release + "\n")
    boot = build / "arch" / platform.architecture / "boot"
    shutil.copy(boot / IMAGES[platform.architecture], folder / "zImage")
    shutil.copy(build / "System.map", folder / "System.map")
    shutil.copy(build / ".config", folder / "config")
    shutil.copy(build / "scripts/dtc/dtc", folder / "dtc")
    (folder / "devicetrees").mkdir()
    for name in platform.devicetrees:
        shutil.copy(boot / "dts" / name, folder / "devicetrees")
    _thin_out(folder, step)


def _thin_out(folder: Path, step: Step) -> None:
    """Remove what modules of our own do not need: objects, and sources outside the headers and the build scripts."""
    step.update("removing what is not needed any more")
    build, source = folder / "build", folder / "source"
    for path in build.rglob("*"):
        if path.suffix in (".o", ".a", ".ko", ".cmd") and "scripts" not in path.relative_to(build).parts:
            path.unlink()
    for name in ("vmlinux", "vmlinux.o", ".tmp_vmlinux1", ".tmp_vmlinux2", "arch/arm/boot/Image"):
        (build / name).unlink(missing_ok=True)
    for child in source.iterdir():
        if child.is_dir() and child.name not in ("arch", "include", "scripts"):
            shutil.rmtree(child)


