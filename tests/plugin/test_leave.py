"""Nothing on the target is left changed: drivers bound as before, GPIO lines as before, the same modules loaded.

After a run that is through, and after Ctrl-C in the middle of a check that had changed just those.
"""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LOOK = """
import json, pathlib, pytest

STATE = pathlib.Path("state.jsonl")


def look(rig):
    shell = rig.target.get_driver("ShellDriver")
    lines, _, _ = shell.run("cat /sys/kernel/debug/gpio")
    state = {
        "drivers": {d["path"]: d["driver"] for d in rig.kernel.devices().value if d["bus"] in ("platform", "spi", "i2c",
                    "virtio", "pci") or d["name"].endswith(":1.0")},
        "modules": sorted(rig.kernel.snapshot().value["modules"]),
        "gpio": [line.rstrip() for line in lines],
    }
    with STATE.open("a") as kept:
        kept.write(json.dumps(state) + chr(10))


@pytest.hookimpl(trylast=True)
def pytest_bench_leave(rig):
    look(rig)


@pytest.fixture(autouse=True)
def first(rig, request):
    if not STATE.exists():
        look(rig)
    yield

"""


@pytest.fixture
def run(tmp_path):
    """Run checks of drivers/ in a folder of the test's own; the states before and after."""
    def run(*words, checks=""):
        (tmp_path / "look_at_state.py").write_text(LOOK)
        (tmp_path / "test_own.py").write_text(checks)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:labgrid", "-p", "no:cacheprovider", "-p", "look_at_state",
             "--board", "twin210", "--record", "record", "-q", *words],
            capture_output=True, text=True, timeout=400, cwd=tmp_path,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(tmp_path)},
        )
        assert (tmp_path / "state.jsonl").exists(), done.stdout[-3000:]
        states = [json.loads(line) for line in (tmp_path / "state.jsonl").read_text().splitlines()]
        return done, states
    return run


DRIVERS = os.path.join(os.path.dirname(__file__), "..", "..", "drivers")
CHANGING = ("usbmouse_tells_what or configuration_is_as or program_in_the_drivers or vlan or interrupt_is_released or "
            "line_that_is or polarity or scan_finds_what")


def test_a_run_leaves_the_target_as_it_was(run):
    done, (before, after) = run(DRIVERS, "--quick", "-k", CHANGING)
    assert " passed" in done.stdout, done.stdout[-2000:]
    assert len(before["modules"]) > 10 and any("dm9000" in str(name) for name in before["drivers"].values())
    assert after == before


INTERRUPTED = """
import os, signal, threading

def test_a_mouse_has_another_driver(mouse, agent, kernel, request):
    request.getfixturevalue("usbmouse")
    assert "usbmouse" in kernel.snapshot().value["modules"]
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    agent.wait(seconds=2.0)
"""


def test_ctrl_c_in_the_middle_of_a_check_leaves_the_target_as_it_was(run, tmp_path):
    source = os.path.join(DRIVERS, "mouse", "checks", "conftest.py")
    checks = Path(source).read_text() + INTERRUPTED
    done, (before, after) = run("test_own.py", checks=checks)
    assert done.returncode == 2, done.stdout[-3000:]
    assert "KeyboardInterrupt" in done.stdout
    assert after == before
