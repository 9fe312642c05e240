"""The life-cycle exerciser on the real twin: what it finds, what it leaves alone, and that all is as it was."""
from __future__ import annotations

import copy
import errno
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import Rig, store
from bench.verdict import Outcome
from drivers.lifecycle.applicable import NAMES
from drivers.lifecycle.checks.diff import changes, kept_while_unbound, refused

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def rig():
    with Rig("twin210") as rig:
        yield rig


@pytest.fixture(scope="module")
def found(rig):
    return {device["driver"]: device for device in reversed(rig.lifecycle.devices().value)}  # the first of each


def test_the_boards_ethernet_chip_is_found_with_its_module_and_interface(found):
    ethernet = found["dm9000"]
    assert (ethernet["bus"], ethernet["module"], ethernet["leaf"]) == ("platform", "dm9000", True)
    assert ethernet["id"] == f"platform/{ethernet['name']}"
    assert ethernet["nodes"] == ["net:eth0"]
    assert "unbind" not in ethernet["cannot"] and "reload" not in ethernet["cannot"]


def test_what_the_bench_depends_on_is_protected_with_the_reason(found):
    assert found["uart-pl011"]["cannot"] == dict.fromkeys(NAMES, "it carries the console")
    assert found["virtio_console"]["cannot"] == dict.fromkeys(NAMES, "it carries the agent's channel")
    chip = found["dm9000"]["name"]
    assert found["window"]["cannot"]["unbind"] == f"its registers are those of {chip}"
    assert chip in found["pci-host-generic"]["cannot"]["unbind"]


def test_an_action_that_is_not_applicable_is_refused(rig, found):
    answer = rig.lifecycle.run_action(device=found["uart-pl011"]["id"], action="unbind")
    assert answer.errno == errno.EBUSY
    assert "it carries the console" in answer.error["text"]
    assert rig.lifecycle.run_action(device="platform/no.such", action="unbind").errno == errno.ENODEV


def test_a_device_is_as_before_after_it_was_unbound(rig, found):
    before = rig.lifecycle.snapshot().value
    result = rig.lifecycle.run_action(device=found["dm9000"]["id"], action="unbind").value
    assert refused(result["steps"]) == [] and result["restored"] is True
    assert found["dm9000"]["id"] not in result["during"]["drivers"]
    assert kept_while_unbound(result) == []
    assert changes(before, rig.lifecycle.snapshot().value) == []


def test_a_device_that_loses_its_driver_by_a_bug_is_reported(rig, found):
    before = rig.lifecycle.snapshot().value
    rig.kernel.seed_bug(bug="unbind_after_bind", driver="dm9000")
    result = rig.lifecycle.run_action(device=found["dm9000"]["id"], action="unbind").value
    _ = rig.kernel.remove_seeded_bug().value
    assert result["restored"] is False
    assert f"{found['dm9000']['id']} is bound to nothing, not dm9000" in changes(result["before"], result["after"])
    _ = rig.kernel.bind(driver="dm9000", device=found["dm9000"]["name"]).value
    assert changes(before, rig.lifecycle.snapshot().value) == []


def test_changes_are_reported_in_words(rig):
    before = rig.lifecycle.snapshot().value
    after = copy.deepcopy(before)
    after["handlers"].append("eth0")
    after["debugfs"].remove("gpio") if "gpio" in after["debugfs"] else after["nodes"].remove("/dev/null")
    after["modules"]["dm9000"] += 1
    after["fds"] += 2
    assert changes(before, before) == []
    lines = changes(before, after)
    assert "interrupt handler eth0 was left behind" in lines
    assert "module dm9000 is loaded with use count 1, not loaded with use count 0" in lines
    assert any(line.endswith("is gone") for line in lines)
    assert f"{after['fds']} files are open, not {before['fds']}" in lines


def test_a_board_that_cannot_say_what_it_has_breaks_the_checks_and_fails_none(tmp_path):
    shutil.copytree(ROOT / "boards" / "twin210", tmp_path / "twin210")
    environment = tmp_path / "twin210" / "env.yaml"
    environment.write_text(environment.read_text().replace("TwinDriver: {}", "TwinDriver: {board: no-such}"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:labgrid", "-p", "no:cacheprovider", "--board",
         str(tmp_path / "twin210"), "--record", str(tmp_path / "record"), "-k", "ten_binds",
         str(ROOT / "drivers" / "lifecycle"), f"--rootdir={ROOT}"],
        capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 1, done.stdout + done.stderr
    [check] = store.read(tmp_path / "record").checks
    assert check.outcome is Outcome.BROKEN and "no-such" in check.reason
