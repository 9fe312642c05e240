"""A lab's board, held by stock labgrid drivers, passes checks over the same seam as the twin."""
import os
import re
import subprocess
import sys

import pytest

from bench import store
from tests.target import lab_board

CRASHES = '''
def test_1_a_warning_is_charged_to_the_check_that_caused_it(agent):
    status = agent.shell(command="modprobe lkdtm && echo WARNING > /sys/kernel/debug/provoke-crash/DIRECT").value
    assert status["status"] == 0


def test_2_a_panic_is_seen_on_the_console(agent):
    agent.shell(command="echo c > /proc/sysrq-trigger")


def test_3_the_board_was_power_cycled(agent, kernel):
    assert agent.echo(value=b"again").value == b"again"
    assert "lkdtm" not in kernel.snapshot().value["modules"]
'''


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    return lab_board.make(tmp_path_factory.mktemp("lab") / "virt")


def run(board, record, *checks):
    """The record's checks by the last part of their names."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:labgrid", "-p", "no:cacheprovider", "--board", str(board),
         "--record", str(record), "-q", *map(str, checks)],
        capture_output=True, text=True, timeout=300, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert "Traceback" not in done.stderr, done.stderr
    return {check.name.rsplit("::", 1)[-1]: check for check in store.read(record).checks}


def test_net_and_life_cycle_checks_pass_on_it_and_what_needs_the_cable_is_inconclusive(board, tmp_path):
    checks = run(board, tmp_path / "record", "drivers/net/checks/test_identity.py",
                 "drivers/net/checks/test_carrier.py::test_rx_and_tx_resume_after_the_cable_is_plugged_back",
                 "drivers/net/checks/test_frames.py::test_frames_of_some_lengths_pass_rx_and_tx_unchanged",
                 "drivers/lifecycle/checks/test_life.py::test_a_device_comes_back_whole_after_unbind_and_bind")
    unbind = "test_a_device_comes_back_whole_after_unbind_and_bind[unbind:%s]"
    console, branch = "Skipped: it carries the console", "Skipped: it may carry the connection to the agent"
    cable = "the far end of the cable cannot be observed on this rig"
    assert {name: (str(check.outcome), check.reason) for name, check in checks.items()} == {
        "test_rebind_brings_the_interface_back_with_its_driver": ("pass", ""),
        "test_sysfs_ethtool_and_netlink_agree_on_driver_and_mac_address": ("pass", ""),
        "test_bind_unbind_and_netlink_refuse_a_missing_or_bound_device": ("pass", ""),
        "test_rx_and_tx_resume_after_the_cable_is_plugged_back": ("inconclusive", cable),
        "test_frames_of_some_lengths_pass_rx_and_tx_unchanged": ("inconclusive", cable),
        unbind % "virtio_net/virtio2": ("pass", ""),
        unbind % "virtio_net/virtio1": ("skip", branch),
        unbind % "virtio-pci/0000:00:02.0": ("pass", ""),
        unbind % "virtio-pci/0000:00:01.0": ("skip", branch),
        unbind % "pci-host-generic/3f000000.pcie": ("skip", branch),
        unbind % "virtio-mmio/a003e00.virtio_mmio": ("pass", ""),
        unbind % "virtio_rng/virtio0": ("pass", ""),
        unbind % "pl061_gpio/9030000.pl061": ("pass", ""),
        # A known defect of the kernel's driver, found on the twin and here alike (docs/defects/rtc.md).
        unbind % "rtc-pl031/9010000.pl031": ("fail", "assert ['platform/al...t alarmtimer'] == []"),
        unbind % "alarmtimer/alarmtimer.0.auto": ("pass", ""),
        unbind % "reg-dummy/reg-dummy": ("pass", ""),
        unbind % "uart-pl011/9000000.pl011": ("skip", console),
        unbind % "ctrl/9000000.pl011:0": ("skip", console),
        unbind % "port/9000000.pl011:0.0": ("skip", console),
    }
    assert checks[unbind % "rtc-pl031/9010000.pl031"].known_defect
    what = store.read(tmp_path / "record").run
    assert (what.twin, what.identity["compatible"]) == (False, ["linux,dummy-virt"])


def test_a_warning_and_a_panic_are_charged_to_their_checks_and_the_board_is_power_cycled(board, tmp_path):
    (tmp_path / "test_crashes.py").write_text(CRASHES)
    checks = run(board, tmp_path / "record", tmp_path / "test_crashes.py", f"--rootdir={tmp_path}")
    outcomes = [(str(check.outcome), check.reason) for check in checks.values()]
    assert [outcome for outcome, _ in outcomes] == ["fail", "fail", "pass"]
    assert re.match(r"kernel health: WARNING: CPU: \d PID: \d+ at drivers/misc/lkdtm/bugs.c", outcomes[0][1])
    assert outcomes[1][1].startswith("the kernel crashed: ")
    assert outcomes[1][1].endswith("Kernel panic - not syncing: sysrq triggered crash")
