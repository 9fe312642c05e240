"""The command line's manners: help, exit codes, the nearest name."""
import os
import subprocess
import sys

import pytest

from bench import board as boards
from bench.cli.checks import jobs
from bench.cli.main import parser

COMMANDS = ["accept", "run", "prove", "boards", "faults", "kernel", "doctor", "shell", "judge", "measure", "trace",
            "coverage", "probe", "wire", "lifecycle", "sweep", "init"]


def bench(*words, timeout=60):
    return subprocess.run([sys.executable, "-m", "bench", *words], capture_output=True, text=True, timeout=timeout)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command):
    done = bench(command, "--help")
    assert done.returncode == 0
    assert f"example:\n  bench {command}" in done.stdout


def test_the_help_lists_the_commands_and_the_exit_codes():
    done = bench("--help")
    assert all(command in done.stdout for command in COMMANDS)
    codes = "exit codes: 0 passed, 1 driver or board failed, 2 inconclusive, 3 rig or bench broken, 64 usage"
    assert codes in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["accept", "--board", "twin21"], "no board named 'twin21'; did you mean 'twin210'?"),
        (["run", "--board", "twin210", "-k", "carier_follows"], "did you mean"),
        (["accept"], "required: --board"),
        (["acept"], "invalid choice"),
        (["coverage"], "takes either --board, to run its checks, or a record"),
        (["coverage", "--board", "twin210", "a-record"], "takes either --board, to run its checks, or a record"),
        (["run", "--board", "twin210", "--fault", "dm9000:swalow_tx_completion"], "swallow_tx_completion"),
    ],
)
def test_a_wrong_word_is_usage_and_names_the_nearest(words, said):
    done = bench(*words)
    assert done.returncode == 64, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_record_that_is_none_is_one_clear_line(tmp_path):
    done = bench("judge", str(tmp_path))
    assert done.returncode == 3
    assert done.stderr.startswith("bench: ") and "record.jsonl" in done.stderr


def test_boards_are_listed_with_their_devices():
    done = bench("boards")
    assert done.returncode == 0
    assert "twin210" in done.stdout and "dm9000" in done.stdout


def test_checks_are_shared_among_as_many_twins_as_asked_for_and_a_real_board_is_one(tmp_path):
    text = "description: a board\ncompatible: some,board\ndevices: {}\n"
    (tmp_path / "board.yaml").write_text(text)
    real = boards.load(str(tmp_path))
    (tmp_path / "board.yaml").write_text(text + "twin: {}\n")
    twin = boards.load(str(tmp_path))
    assert jobs(parser().parse_args(["accept", "--board", "b", "-j", "3"]), twin) == 3
    assert jobs(parser().parse_args(["accept", "--board", "b", "-j", "3"]), real) == 1
    assert jobs(parser().parse_args(["run", "--board", "b"]), twin) == 1
    assert jobs(parser().parse_args(["prove", "--board", "b"]), twin) == len(os.sched_getaffinity(0))


def test_no_twins_at_all_is_usage():
    done = bench("run", "--board", "twin210", "-j", "0")
    assert done.returncode == 64
    assert "expected a whole number from 1 to 64, found '0'" in done.stderr
