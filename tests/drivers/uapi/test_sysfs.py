"""sysfs attributes: the two error policies of a read, writes with their errno, links."""
import errno
import os

import pytest

from drivers.uapi import sysfs


def test_a_read_has_no_white_space_or_nul_at_its_ends(tmp_path):
    (tmp_path / "compatible").write_bytes(b"davicom,dm9000\0")
    (tmp_path / "control").write_bytes(b"auto\n")
    assert sysfs.read(f"{tmp_path}/compatible") == "davicom,dm9000"
    assert sysfs.read(f"{tmp_path}/control") == "auto"


def test_a_missing_attribute_raises_unless_its_errno_reads_as_empty(tmp_path):
    with pytest.raises(FileNotFoundError):
        sysfs.read(f"{tmp_path}/none")
    assert sysfs.read(f"{tmp_path}/none", sysfs.ABSENT) == ""
    assert sysfs.read_bytes(f"{tmp_path}/none", sysfs.ABSENT) == b""


def test_an_errno_that_the_caller_does_not_name_raises(tmp_path):
    with pytest.raises(IsADirectoryError):
        sysfs.read(str(tmp_path), sysfs.UNREADABLE)


def test_a_write_raises_and_write_errno_returns_the_errno(tmp_path):
    (tmp_path / "enable").write_text("0")
    sysfs.write(f"{tmp_path}/enable", 1)
    assert (tmp_path / "enable").read_text() == "1"
    with pytest.raises(FileNotFoundError):
        sysfs.write(f"{tmp_path}/none", 1)
    assert sysfs.write_errno(f"{tmp_path}/enable", 0) == 0
    assert sysfs.write_errno(f"{tmp_path}/none", 0) == errno.ENOENT


def test_swap_returns_what_restores_the_attribute(tmp_path):
    (tmp_path / "pm_test").write_text("[none] core processors devices\n")
    (tmp_path / "delay").write_text("5\n")
    assert sysfs.swap(f"{tmp_path}/pm_test", "devices") == "none"
    assert sysfs.swap(f"{tmp_path}/delay", "0") == "5"


def test_links_have_a_name_and_a_target_and_are_empty_when_missing(tmp_path):
    (tmp_path / "driver").symlink_to("../../bus/platform/drivers/dm9000")
    assert sysfs.link_name(f"{tmp_path}/driver") == sysfs.driver_of(str(tmp_path)) == "dm9000"
    assert sysfs.link_target(f"{tmp_path}/driver") == os.path.normpath(f"{tmp_path}/../../bus/platform/drivers/dm9000")
    assert (sysfs.link_name(f"{tmp_path}/none"), sysfs.link_target(f"{tmp_path}/none")) == ("", "")


def test_bind_and_unbind_of_a_driver_that_does_not_exist_are_enoent():
    for action in (sysfs.bind, sysfs.unbind, sysfs.rebind):
        with pytest.raises(FileNotFoundError):
            action("platform", "no_such_driver", "no.device")
    assert sysfs.unbind_any("platform", "no.device") == ""
