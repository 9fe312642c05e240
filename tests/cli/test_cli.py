"""The command line's manners: help, exit codes, the nearest name."""
import subprocess
import sys

import pytest

COMMANDS = ["accept", "run", "prove", "boards", "faults", "kernel", "doctor", "shell", "judge", "measure", "trace"]


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
