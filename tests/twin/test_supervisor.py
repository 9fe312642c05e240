"""Nothing is left running, however the bench ends."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.twin import supervisor

BENCH = """
import signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and so would we
p = subprocess.Popen([sys.executable, "-I", "-S", sys.argv[1], sys.argv[2], "sh", "-c", "echo $$ >&2; exec sleep 60"],
                     stdin=subprocess.PIPE, start_new_session=True)
print(p.pid, flush=True)
time.sleep(60)
"""


def gone(pid, within_s=5.0):
    """Whether the process ends (a zombie counts) within the time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if ") Z" in Path(f"/proc/{pid}/stat").read_text():
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def bench(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    command = [sys.executable, "-c", BENCH, supervisor.__file__, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    kept = int(process.stdout.readline())
    deadline = time.monotonic() + 5
    while not (words := (folder / "qemu.txt").read_text() if (folder / "qemu.txt").exists() else "").endswith("\n"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield process, kept, int(words), folder
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_killed_bench_takes_its_qemu_and_folder_with_it(bench):
    process, kept, qemu, folder = bench
    process.send_signal(signal.SIGKILL)
    assert gone(qemu) and gone(kept)
    assert not folder.exists()


def test_an_interrupted_bench_takes_its_qemu_with_it(bench):
    process, kept, qemu, folder = bench
    process.send_signal(signal.SIGINT)
    assert gone(qemu) and gone(kept)
    assert not folder.exists()


def test_a_killed_supervisor_takes_its_qemu_with_it(bench):
    _, kept, qemu, _ = bench
    os.kill(kept, signal.SIGKILL)
    assert gone(qemu)


def test_the_supervisor_ends_with_the_status_and_words_of_what_it_kept(tmp_path):
    command = ["sh", "-c", "echo no such machine >&2; exit 7"]
    kept = subprocess.Popen([sys.executable, supervisor.__file__, str(tmp_path), *command], stdin=subprocess.PIPE)
    assert kept.wait(5) == 7
    kept.stdin.close()
    assert (tmp_path / "qemu.txt").read_text() == "no such machine\n"
