"""Collecting checks touches no hardware, and no check of a device is lost by that."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import board as boards
from bench import store
from bench.plugin import device_list
from bench.verdict import Outcome

ROOT = Path(__file__).parents[2]

# Of each process that pytest or one of its workers starts, and of each connection that it opens.
WATCH = """
import sys

def watch(event, arguments):
    if event in ("subprocess.Popen", "socket.connect"):
        with open(LOG, "a") as file:
            file.write(f"{event} {arguments[1]}" + chr(10))

sys.addaudithook(watch)
"""

POWERED = """
targets:
  main:
    resources:
      - NetworkSerialPort: {host: localhost, port: 1}
    drivers:
      - SerialDriver: {}
      - ExternalPowerDriver: {cmd_on: "touch POWERED", cmd_off: "touch POWERED"}
      - ShellDriver: {prompt: '# ', login_prompt: 'login: ', username: root}
      - BenchStrategy: {}
"""
BOARD = """
description: a board that is switched on for nothing
compatible: bench,off
devices:
  ethernet: {driver: dm9000, exercisers: [net, dm9000], arguments: {interface: eth0}}
  i2c: {driver: s3c-i2c, exercisers: [i2c], arguments: {adapter: s3c2410-i2c}}
"""

DEVICES = [
    {"id": "i2c/0-0050", "driver": "at24", "module": "at24", "leaf": True, "cannot": {"defer": "it needs nothing"}},
    {"id": "platform/10000000.ethernet", "driver": "dm9000", "module": "dm9000", "leaf": True, "cannot": {}},
]


@pytest.fixture
def run(tmp_path):
    """Run a command of this Python with the cache in `tmp_path`; what it started is in run.log()."""
    log = tmp_path / "log"
    (tmp_path / "watch_starts.py").write_text(WATCH.replace("LOG", repr(str(log))))

    def run(*words):
        environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "XDG_CACHE_HOME": str(tmp_path / "cache"),
                       "PYTEST_PLUGINS": "watch_starts", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": ""}
        return subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, timeout=100,
                              cwd=tmp_path, env=environment)

    run.log = lambda: log.read_text() if log.exists() else ""
    return run


def test_a_process_that_a_check_starts_would_be_seen(run, tmp_path):
    (tmp_path / "test_seen.py").write_text("import subprocess\ndef test_it():\n    subprocess.run(['true'])\n")
    assert run("pytest", "-q", "test_seen.py", "-p", "no:cacheprovider").returncode == 0
    assert run.log() == "subprocess.Popen ['true']\n"


def collect(board):
    return ("pytest", "-p", "no:labgrid", "-p", "no:cacheprovider", "--board", str(board), "--collect-only", "-q",
            str(ROOT / "drivers"), f"--rootdir={ROOT}")


def test_collecting_starts_no_process(run):
    done = run(*collect("twin210"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_life.py::test_a_device_comes_back_whole_after_unbind_and_bind[unbind:unlisted]" in done.stdout
    assert run.log() == ""


@pytest.mark.parametrize("command", ["run", "accept"])
def test_a_run_that_selects_nothing_starts_no_board(run, command):
    done = run("bench", command, "--board", "twin210", "-k", "no_check_has_this_name", "-j", "1")
    assert done.returncode == 64, done.stdout + done.stderr
    assert "no check matches -k 'no_check_has_this_name'" in done.stderr
    assert run.log() == ""


def test_a_board_s_power_is_not_touched_by_collecting(run, tmp_path):
    folder = tmp_path / "off"
    folder.mkdir()
    (folder / "board.yaml").write_text(BOARD)
    (folder / "env.yaml").write_text(POWERED.replace("POWERED", str(tmp_path / "powered")))
    done = run(*collect(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_life.py::" in done.stdout
    assert not (tmp_path / "powered").exists()
    assert run.log() == ""


def test_each_listed_device_has_a_check_of_its_own_and_the_others_a_stand_in(run, tmp_path):
    path = tmp_path / "cache" / "driver-bench" / "devices" / device_list.path(boards.load("twin210")).name
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(DEVICES))
    done = run(*collect("twin210"), "-k", "unbind_and_bind or probe_is_deferred")
    names = [line.partition("[")[2].rstrip("]") for line in done.stdout.splitlines() if "test_life" in line]
    assert [name for name in names if name.startswith("unbind")] == [
        "unbind:unlisted", "unbind:at24/0-0050", "unbind:dm9000/10000000.ethernet"]
    assert sorted(name for name in names if name.startswith("defer")) == [
        "defer:at24/0-0050", "defer:dm9000/10000000.ethernet", "defer:unlisted"]


@pytest.fixture
def new_board(tmp_path):
    """A board of which no list is kept."""
    folder = shutil.copytree(ROOT / "boards" / "twin210", tmp_path / "new210")
    yield folder
    device_list.path(boards.load(str(folder))).unlink(missing_ok=True)


UNBOUND = dict.fromkeys([
    "unbind:hid-generic/0003:24AE:2002]", "unbind:tmp102/0-0048]", "unbind:at24/0-0050]", "unbind:rtc-pcf8563/0-0051]",
    "unbind:dm9000/10000000.ethernet]", "unbind:74xx-mmio-gpio/10010000.gpio]", "unbind:samsung-pwm/10030000.pwm]",
    "unbind:spidev/spi0.0]"], Outcome.PASS)


def test_devices_get_their_own_checks_and_records_whether_or_not_a_list_names_them(new_board, tmp_path):
    for number in ("first run, no list", "second run, a list of all"):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:labgrid", "-p", "no:cacheprovider", "-n", "2", "--board",
             str(new_board), "-m", "not lifecycle", "-k", "unbind_and_bind", "--record", str(tmp_path / number),
             str(ROOT / "drivers" / "lifecycle"), f"--rootdir={ROOT}"],
            capture_output=True, text=True, timeout=200, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
        assert done.returncode == 0, done.stdout + done.stderr
        record = store.read(tmp_path / number)
        assert record.complete
        assert {check.name.partition("[")[2]: check.outcome for check in record.checks} == UNBOUND
