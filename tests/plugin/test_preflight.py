"""A rig that is not ready is no driver's fault: what is wrong and what to do stands in the record, and no traceback."""
import os
import subprocess
import sys

import pytest

from bench import Rig, probe, results, store
from bench.errors import Broken
from bench.rig.call import Answer, Call
from bench.verdict import Outcome

ENVIRONMENT = """
imports: [bench.target.labgrid]
targets:
  main:
    drivers:
      - TwinDriver: {board: FOLDER}
      - ShellDriver: {prompt: 'twin# ', login_prompt: 'login: ', username: root}
      - BenchStrategy: {}
"""
BOARD = """
description: a board that lacks most of what it should have
compatible: bench,twin210
twin: {}
devices:
  ethernet: {driver: dm9000, compatible: "davicom,dm9000", exercisers: [net], arguments: {interface: eth0}}
  i2c:
    driver: s3c-i2c
    compatible: samsung,s3c2440-i2c
    chip: s3c2410_i2c
    slot: 3
    devicetree: ['sensor@48 { compatible = "ti,tmp102"; reg = <0x48>; };']
    exercisers: [i2c]
    arguments: {adapter: s3c2410-i2c}
  sensor: {driver: tmp102, compatible: "ti,tmp102", bus: i2c, address: 0x48, exercisers: [hwmon]}
  mouse: {driver: usbhid, arguments: {vendor: 0x24ae, product: 0x2002}, exercisers: [mouse]}
"""
CHECKS = """
def test_ethernet_is_not_there(net):
    assert net.identity().value

def test_the_sensor_answers_nothing(hwmon):
    assert hwmon.read().value

def test_the_mouse_is_not_plugged_in(mouse):
    assert mouse.devices().value

def test_the_bus_is_there(i2c):
    assert i2c.functions().value
"""


def board(folder, text, name="lacking210"):
    folder = folder / name
    folder.mkdir()
    (folder / "board.yaml").write_text(text)
    (folder / "env.yaml").write_text(ENVIRONMENT.replace("FOLDER", str(folder)))
    (folder / "twin.dtsi").write_text('/ { compatible = "bench,twin210", "linux,dummy-virt"; };')
    return folder


def run(board, checks, folder):
    (folder / "test_all.py").write_text(checks)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:labgrid", "-p", "no:cacheprovider", "--board", str(board),
         "--record", "record", "test_all.py", "-q", f"--rootdir={folder}"],
        capture_output=True, text=True, timeout=240, cwd=folder, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return done, store.read(folder / "record")


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ready")
    return run(board(folder, BOARD), CHECKS, folder)[1]


@pytest.fixture
def of(record):
    return {check.sentence: check for check in record.checks}.__getitem__


@pytest.mark.parametrize(("check", "why", "fix"), [
    ("ethernet is not there", "no devicetree node has compatible davicom,dm9000", "is this the board's devicetree?"),
    ("the sensor answers nothing", "its probe failed: tmp102 0-0048: ", "check that the chip is present"),
    ("the mouse is not plugged in", "no device has the driver usbhid", "is it plugged in and powered?"),
])
def test_a_device_that_is_not_ready_is_broken_with_the_reason_and_the_fix(of, check, why, fix):
    assert of(check).outcome is Outcome.BROKEN
    assert why in of(check).reason and fix in of(check).reason
    assert "Traceback" not in of(check).reason


def test_the_other_devices_are_checked_all_the_same(of, record):
    assert of("the bus is there").outcome is Outcome.PASS
    assert results.exit_code(record) == results.BROKEN


TAKEN = BOARD.replace("bus: i2c, address: 0x48,", "chip: tmp102, bus: i2c, address: 0x48,").replace(
    """    devicetree: ['sensor@48 { compatible = "ti,tmp102"; reg = <0x48>; };']\n""", "")
CHIP = """
from fixtures.chips.tmp102 import TMP102

def start(self, read):
    %s

TMP102.i2c_start = start

def test_the_sensor_answers(hwmon):
    assert hwmon.read().value

def test_the_bus_is_there(i2c):
    assert i2c.functions().value
"""


@pytest.mark.parametrize(("start", "outcome", "why"), [
    ("return False", Outcome.FAIL, "its probe failed: tmp102 0-0048: "),
    ("raise LookupError('a mistake in the model')", Outcome.BROKEN,
     "a chip model raised LookupError: a mistake in the model; sensor (tmp102) was no driver"),
])
def test_a_chip_on_the_twin_that_no_driver_takes_is_the_drivers_failure_unless_the_model_failed(
        tmp_path, start, outcome, why):
    _, record = run(board(tmp_path, TAKEN), CHIP % start, tmp_path)
    sensor, bus = record.checks
    assert (sensor.outcome, why in sensor.reason) == (outcome, True), sensor.reason
    assert bus.outcome is (Outcome.PASS if outcome is Outcome.FAIL else Outcome.BROKEN)


def test_a_rig_that_does_not_start_is_tried_twice_and_no_more(tmp_path):
    text = BOARD.replace("compatible: bench,twin210", "compatible: bench,other")
    broken = board(tmp_path, text.replace("twin: {}", "twin: {cpu: no-such-cpu}"))
    five = "import pytest\n@pytest.mark.parametrize('n', range(5))\ndef test_it(agent, n):\n    pass\n"
    _, record = run(broken, five, tmp_path)
    assert [check.outcome for check in record.checks] == [Outcome.BROKEN] * 5
    assert "no-such-cpu" in record.checks[0].reason
    assert record.checks[4].reason.startswith("the rig failed to start 2 times in a row; not trying again: ")
    assert results.exit_code(record) == results.BROKEN


def test_a_device_file_that_is_gone_is_told_by_the_probe_with_its_fix():
    with Rig("twin210") as rig:
        shell = rig.target.get_driver("ShellDriver")
        shell.run_check("rm /dev/spidev0.0 /dev/ttyS0")
        found = {part.name: part for part in probe.probe(rig).all}
    assert (found["loopback"].state, found["loopback"].why) == ("no device file", "/dev/spidev0.0: it is not there")
    assert (found["uart"].state, found["uart"].why) == ("no device file", "/dev/ttyS0: it is not there")
    assert "devtmpfs" in found["uart"].fix
    assert {part.state for name, part in found.items() if name not in ("loopback", "uart")} == {"bound"}


def test_no_leave_to_open_a_device_is_the_rigs_fault():
    error = {"type": "PermissionError", "text": "[Errno 13] Permission denied: '/dev/spidev0.0'", "errno": 13,
             "traceback": ""}
    with pytest.raises(Broken, match=r"'/dev/spidev0\.0': run the agent as root, or give its user permission"):
        _ = Answer(Call("spi", "transfer"), error=error).value
