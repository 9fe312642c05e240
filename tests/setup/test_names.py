"""What is built again when something changes, and what is not; modules of our own against the real kernel."""
import dataclasses
import io
import re
import struct
from pathlib import Path

import pytest

from bench.board import Board, Machine
from bench.errors import SetupError
from bench.setup import Artefacts, initramfs, kernel, modules, packages, prepare, programs, root
from bench.setup.cache import Cache, default_folder
from bench.setup.kernel import Kernel
from bench.setup.progress import Plain

ARM = kernel.Platform()
VERSIONS = {kernel.SOURCE_PACKAGE: "6.12.1-1", kernel.COMPILER_PACKAGE: "12.2", programs.LIBC_PACKAGE: "2.36"}


@pytest.fixture
def project(tmp_path):
    """A project with one kernel module."""
    folder = tmp_path / "project/fixtures/modules/hello"
    folder.mkdir(parents=True)
    (folder / "Kbuild").write_text("obj-m := hello.o\n")
    (folder / "hello.c").write_text('#include <linux/module.h>\nMODULE_DESCRIPTION("says nothing");\n'
                                    'MODULE_LICENSE("GPL");\n')
    return tmp_path / "project"


@pytest.fixture(scope="module")
def artefacts() -> Artefacts:
    return prepare()


@pytest.fixture
def real_kernel(artefacts):
    return Kernel(artefacts.kernel.parent, artefacts.config_hash, artefacts.kernel_source)


def test_the_kernel_is_built_again_for_another_option_source_compiler_or_platform():
    names = {kernel.name("CONFIG_A=y\n", VERSIONS, ARM), kernel.name("CONFIG_A=m\n", VERSIONS, ARM),
             kernel.name("CONFIG_A=y\n", VERSIONS | {kernel.SOURCE_PACKAGE: "6.12.2-1"}, ARM),
             kernel.name("CONFIG_A=y\n", VERSIONS | {kernel.COMPILER_PACKAGE: "14.2"}, ARM),
             kernel.name("CONFIG_A=y\n", VERSIONS, dataclasses.replace(ARM, toolchain="arm-none-eabi-")),
             kernel.name("CONFIG_A=y\n", VERSIONS, dataclasses.replace(ARM, devicetrees=("maker/board.dtb",)))}
    assert len(names) == 6
    assert kernel.name("CONFIG_A=y\n", dict(VERSIONS), kernel.Platform()) in names


def test_a_module_is_built_again_for_its_source_and_its_kernel_but_not_for_a_note_beside_it(project):
    first = modules.name(project, "kernel-1")
    assert modules.name(project, "kernel-2") != first
    (project / "fixtures/modules/hello/README.md").write_text("a note")
    assert modules.name(project, "kernel-1") == first
    (project / "fixtures/modules/hello/hello.c").write_text("")
    assert modules.name(project, "kernel-1") != first


def test_the_initramfs_is_packed_again_for_each_of_its_parts():
    parts = ["root-1", "kernel-1", "modules-1", "programs-1"]
    others = [[*parts[:at], f"{part}-other", *parts[at + 1:]] for at, part in enumerate(parts)]
    assert len({initramfs.name(*some) for some in (parts, *others)}) == 5


def test_the_kernel_trees_programs_are_built_again_for_another_source_compiler_or_libc():
    names = {programs.name(VERSIONS | {package: version}) for package in VERSIONS for version in ("1", "2")}
    assert len(names) == 2 * len(VERSIONS)


def test_the_kernel_trees_programs_are_for_the_target_and_need_no_library(artefacts):
    spidev_test = (default_folder() / programs.name(packages.ensure(packages.NEEDED, Plain(io.StringIO()))) /
                   "spidev_test").read_bytes()
    assert spidev_test[:5] == b"\x7fELF\x01" and spidev_test[18] == 40  # 32 bits, EM_ARM
    table, count = struct.unpack_from("<28xI12xH", spidev_test)
    kinds = {struct.unpack_from("<I", spidev_test, table + 32 * at)[0] for at in range(count)}
    assert 1 in kinds and 3 not in kinds  # PT_LOAD, PT_INTERP


def test_a_module_is_built_for_the_kernel_that_the_target_runs(project, real_kernel, artefacts, tmp_path):
    (tmp_path / "cache").mkdir()
    built = modules.ensure(Cache(tmp_path / "cache"), project, real_kernel, Plain(io.StringIO()))
    assert [ko.name for ko in built.glob("*")] == ["hello.ko"]
    magic = re.search(rb"vermagic=([^ ]*) SMP", (built / "hello.ko").read_bytes())
    assert magic[1].decode() == artefacts.kernel_version


def test_a_mistake_in_a_module_is_told_in_the_compilers_words(project, real_kernel, tmp_path):
    (project / "fixtures/modules/hello/hello.c").write_text("int x = nothing;\n")
    with pytest.raises(SetupError, match=r"^building the module hello failed .*hello\.c:1:9: error: .*nothing"):
        modules.ensure(Cache(tmp_path), project, real_kernel, Plain(io.StringIO()))


def test_a_kbuild_that_makes_nothing_is_named(project, real_kernel, tmp_path):
    (project / "fixtures/modules/hello/Kbuild").write_text("")
    with pytest.raises(SetupError, match=r"hello/Kbuild makes no module: expected a line like obj-m := hello\.o"):
        modules.ensure(Cache(tmp_path), project, real_kernel, Plain(io.StringIO()))


def test_the_targets_byte_code_is_never_compared_with_a_source(artefacts):
    tree = default_folder() / root.name() / "tree/usr/lib"
    compiled = list(tree.rglob("*.pyc"))
    assert len(compiled) > 300
    unchecked_hash = b"\x01\x00\x00\x00"  # PEP 552: hash-based, check_source off
    assert {path.read_bytes()[4:8] for path in compiled} == {unchecked_hash}
    assert list(tree.glob("python3.*/**/*.py")) == []


def board(name, twin=True, **data):
    return Board(name, Path(name), "", "", Machine() if twin else None, (), **data)


def test_a_kernel_is_built_for_the_platform_of_all_twins_with_the_devicetrees_of_every_board():
    boards = [board("lab", twin=False, architecture="arm64", devicetrees=("lab.dtb",)),
              board("one", devicetrees=("b.dtb", "a.dtb")), board("other", twin=False, devicetrees=("c.dtb", "a.dtb"))]
    assert kernel.Platform.of(boards) == kernel.Platform("arm", "arm-linux-gnueabihf-", ("a.dtb", "b.dtb", "c.dtb"))
    assert kernel.Platform.of([]) == kernel.Platform()


def test_twins_of_two_toolchains_and_of_an_architecture_that_the_bench_has_no_root_for_are_refused():
    with pytest.raises(SetupError, match=r"two/board.yaml: toolchain: x-, but one has arm-linux-gnueabihf-; all twins"):
        kernel.Platform.of([board("one"), board("two", toolchain="x-")])
    with pytest.raises(SetupError, match=r"one/board.yaml: architecture: a twin can be one of arm, not riscv"):
        kernel.Platform.of([board("one", architecture="riscv")])
