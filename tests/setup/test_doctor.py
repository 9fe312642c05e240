"""The doctor shows each prerequisite as present or missing, with the fix under what is missing."""
import pytest

from bench.setup import doctor
from bench.setup.doctor import Prerequisite


def by_name(prerequisites):
    return {f.name: f for f in prerequisites}


@pytest.fixture
def project(tmp_path):
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards/kernel.config").write_text("CONFIG_MODULES=y\n")
    return tmp_path


def test_the_text_puts_the_fix_under_what_is_missing():
    prerequisites = [Prerequisite("QEMU", True, "11.1"), Prerequisite("kernel", False, "none", "make setup")]
    assert doctor.text(prerequisites) == ("present  QEMU    11.1\n"
                                     "MISSING  kernel  none\n"
                                     "                 fix: make setup")


def test_an_empty_cache_misses_every_artefact_and_names_the_command(project, tmp_path):
    found = by_name(doctor.examine(project, tmp_path / "cache"))
    assert {name: (found[name].present, found[name].fix) for name in ("kernel", "target root", "initramfs")} == {
        "kernel": (False, "make setup"), "target root": (False, "make setup"), "initramfs": (False, "make setup")}


def test_an_artefact_is_present_when_it_was_made_of_the_files_as_they_are_now(project, tmp_path):
    name = by_name(doctor.examine(project, tmp_path))["kernel"].detail.split("(")[1].rstrip(")")
    (tmp_path / name).mkdir()
    found = by_name(doctor.examine(project, tmp_path))["kernel"]
    assert (found.present, found.detail) == (True, str(tmp_path / name))
    (project / "boards/kernel.config").write_text("CONFIG_MODULES=n\n")
    assert not by_name(doctor.examine(project, tmp_path))["kernel"].present


def test_a_wrong_fragment_line_is_shown_by_file_and_line(project, tmp_path):
    (project / "boards/kernel.config").write_text("MODULES=y\n")
    found = by_name(doctor.examine(project, tmp_path))["kernel fragments"]
    assert (found.present, found.detail) == (False, "boards/kernel.config:1: 'MODULES=y': expected CONFIG_NAME=value")


def test_every_package_is_listed_with_its_use_or_version(project, tmp_path):
    found = by_name(doctor.examine(project, tmp_path))
    assert {"package mmdebstrap", "package linux-source-6.12", "package chromium (tests)"} <= set(found)
    for finding in found.values():
        assert finding.present or finding.fix
