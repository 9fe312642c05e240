"""Checks shared among several twins: one record, a worker's death charged to its check, nothing left after Ctrl-C."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench import store
from bench.verdict import Outcome

DYING = """
import os, signal, pytest

@pytest.mark.parametrize("turn", range(4))
def test_it_answers(agent, turn):
    assert agent.echo(value=turn).value == turn

def test_the_bench_itself_dies(agent):
    os.kill(os.getpid(), signal.SIGKILL)

@pytest.mark.parametrize("turn", range(4, 8))
def test_it_still_answers(agent, turn):
    assert agent.echo(value=turn).value == turn
"""

LONG = """
import pathlib, pytest

@pytest.mark.parametrize("turn", range(2))
def test_it_takes_long(agent, turn):
    pathlib.Path(f"started-{turn}").touch()
    agent.timeout(120.0).wait(seconds=100.0)
"""


@pytest.fixture
def start(tmp_path):
    """Start pytest on checks with two workers, their twins in a folder of the test's own."""
    started = []

    def run(checks):
        (tmp_path / "twins").mkdir()
        (tmp_path / "test_all.py").write_text(checks)
        words = ["-p", "no:labgrid", "-p", "no:cacheprovider", "--board", "twin210", "--record", "record", "-q",
                 "test_all.py", f"--rootdir={tmp_path}", "-n", "2", "--maxschedchunk", "1"]
        child = subprocess.Popen(
            [sys.executable, "-m", "pytest", *words], cwd=tmp_path, start_new_session=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(tmp_path / "twins"), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        started.append(child)
        return child

    yield run
    for child in started:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def left_over(folder):
    """Command lines of running processes that name `folder`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes()
        except OSError:
            continue
        if str(folder).encode() in words:
            found.append(words)
    return found


def gone(folder, seconds=10.0):
    deadline = time.monotonic() + seconds
    while left_over(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left_over(folder) == [] and list(folder.glob("bench-twin-*")) == []


def test_a_worker_that_dies_is_a_broken_check_and_the_others_run_on(start, tmp_path):
    child = start(DYING)
    said, _ = child.communicate(timeout=120)
    assert child.returncode == 1, said
    record = store.read(tmp_path / "record")
    assert record.complete and record.run.kernel
    died = {c.sentence: c.reason for c in record.checks if c.outcome is Outcome.BROKEN}
    assert list(died) == ["the bench itself dies"]
    assert "the bench's worker process died during this check" in died["the bench itself dies"]
    assert sorted(c.sentence for c in record.checks if c.outcome is Outcome.PASS) == [
        *(f"it answers [{turn}]" for turn in range(4)), *(f"it still answers [{turn}]" for turn in range(4, 8))]
    assert gone(tmp_path / "twins")


def test_ctrl_c_ends_every_worker_and_leaves_no_qemu(start, tmp_path):
    child = start(LONG)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("started-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(left_over(tmp_path / "twins")) >= 2
    began = time.monotonic()
    os.killpg(child.pid, signal.SIGINT)
    child.communicate(timeout=30)
    assert time.monotonic() - began < 20
    assert child.returncode == 2
    record = store.read(tmp_path / "record")
    assert not record.complete
    assert gone(tmp_path / "twins")


def test_two_workers_write_one_record(start, tmp_path):
    child = start(DYING.replace("os.kill(os.getpid(), signal.SIGKILL)", "pass"))
    said, _ = child.communicate(timeout=120)
    assert child.returncode == 0, said
    record = store.read(tmp_path / "record")
    assert record.summary["passed"] == 9
    assert {c.worker for c in record.checks} == {"gw0", "gw1"}
    assert len({c.name for c in record.checks}) == 9
