"""Kernel fragments are put together from every folder and checked line by line."""
from pathlib import Path

import pytest

from bench.errors import SetupError
from bench.setup import fragments
from bench.setup.cache import digest

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path):
    for name, text in {
        "boards/kernel.config": "# base\nCONFIG_MODULES=y\n\nCONFIG_HZ=250  # ticks\n",
        "boards/one/kernel.config": "CONFIG_SMP=n\n",
        "drivers/net/kernel.config": "CONFIG_PACKET=y\n",
        "fixtures/chips/dm9000/kernel.config": 'CONFIG_DM9000=m\nCONFIG_CMDLINE="a=b"\n',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def read(project):
    return fragments.read(fragments.find(project), project)


def config_hash(project):
    return digest(fragments.merged(read(project)))


def test_fragments_of_every_folder_are_found_and_merged(project):
    assert fragments.merged(read(project)) == (
        'CONFIG_CMDLINE="a=b"\nCONFIG_DM9000=m\nCONFIG_HZ=250\nCONFIG_MODULES=y\nCONFIG_PACKET=y\nCONFIG_SMP=n\n')


def test_the_hash_changes_with_an_option_and_not_with_a_comment_or_the_file_it_is_in(project):
    before = config_hash(project)
    (project / "boards/kernel.config").write_text("CONFIG_HZ=250\n")
    (project / "drivers/net/kernel.config").write_text("# moved here\nCONFIG_PACKET=y\nCONFIG_MODULES=y\n")
    assert config_hash(project) == before
    (project / "drivers/net/kernel.config").write_text("CONFIG_PACKET=m\nCONFIG_MODULES=y\n")
    assert config_hash(project) != before


def test_a_line_that_the_kernel_does_not_meet_is_named_by_file_and_line(project):
    config = project / "config"
    config.write_text('CONFIG_CMDLINE="a=b"\nCONFIG_DM9000=m\nCONFIG_HZ=100\nCONFIG_MODULES=y\n'
                      "# CONFIG_SMP is not set\n")
    with pytest.raises(SetupError) as e:
        fragments.verify(read(project), config)
    assert str(e.value).splitlines() == [
        "boards/kernel.config:4: CONFIG_HZ=250 is not met, the kernel has CONFIG_HZ=100",
        "drivers/net/kernel.config:1: CONFIG_PACKET=y is not met, the kernel has CONFIG_PACKET=n",
        "a dependency is missing or the name is unknown: see its Kconfig entry, "
        "add what it depends on or take the line out"]


def test_a_config_that_meets_every_line_passes(project):
    config = project / "config"
    config.write_text('CONFIG_CMDLINE="a=b"\nCONFIG_DM9000=m\nCONFIG_HZ=250\nCONFIG_MODULES=y\nCONFIG_PACKET=y\n')
    fragments.verify(read(project), config)


@pytest.mark.parametrize("line", ["DM9000=m", "CONFIG_DM9000 = m", "CONFIG_DM9000=yes", "CONFIG_DM9000"])
def test_a_line_of_another_form_is_named_by_file_and_line(project, line):
    (project / "boards/kernel.config").write_text(f"\n{line}\n")
    with pytest.raises(SetupError) as e:
        read(project)
    assert str(e.value) == f"boards/kernel.config:2: {line!r}: expected CONFIG_NAME=value"


def test_two_lines_that_contradict_each_other_are_both_named(project):
    (project / "drivers/net/kernel.config").write_text("CONFIG_PACKET=y\nCONFIG_DM9000=y\n")
    with pytest.raises(SetupError) as e:
        read(project)
    assert str(e.value) == ("fixtures/chips/dm9000/kernel.config:1: CONFIG_DM9000=m contradicts CONFIG_DM9000=y of "
                            "drivers/net/kernel.config:2; make one of them agree")


def test_the_projects_own_fragments_can_be_read_and_make_the_driver_under_test_a_module():
    options = fragments.read(fragments.find(PROJECT), PROJECT)
    assert {name: options[name].value for name in ("CONFIG_DM9000", "CONFIG_SMP", "CONFIG_FUNCTION_TRACER")} == {
        "CONFIG_DM9000": "m", "CONFIG_SMP": "y", "CONFIG_FUNCTION_TRACER": "y"}
