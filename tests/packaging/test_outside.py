"""A built wheel in an empty virtual environment: a repository outside runs a check of its own on the twin."""
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from bench import store
from bench.verdict import Outcome

ROOT = Path(__file__).parents[2]
OURS = ("PYTHON", "PYTEST", "BENCH", "VIRTUAL_ENV")
PARTS = ("bench", "boards", "drivers", "fixtures", "pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE")


def run(*command, cwd, code=0, timeout=300):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=timeout, cwd=cwd,
                          env={name: value for name, value in os.environ.items() if not name.startswith(OURS)})
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, source / part)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, source, cwd=source)
    [wheel] = folder.glob("driver_bench-*.whl")
    return wheel


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory):
    """The bin/ of an environment that has the wheel and what it depends on, nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    run(folder / "bin/pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check", wheel, cwd=folder)
    return folder / "bin"


@pytest.fixture(scope="module")
def lab(programs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere") / "lab"
    assert "bench run --board my_board -k my_eeprom" in run(programs / "bench", "init", folder, cwd=folder.parent)
    return folder


def test_the_wheel_has_one_package_and_in_it_all_that_a_run_needs(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"bench", "driver_bench-0.1.0.dist-info"}
    for path in sorted(p for folder in ("boards", "drivers", "fixtures") for p in (ROOT / folder).rglob("*")):
        own_test = path.parts[len(ROOT.parts)] == "fixtures" and path.name.startswith(("test_", "conftest"))
        if path.is_file() and "__pycache__" not in path.parts and path.name != "ruff.toml":
            assert (f"bench/_shipped/{path.relative_to(ROOT)}" in names) is not own_test, path
    assert {"bench/report/page/page.html", "bench/setup/target/init", "bench/cli/skeleton/ci.yml"} <= set(names)


@pytest.mark.parametrize("name", ["drivers", "fixtures"])
def test_no_package_of_the_environment_is_shadowed(programs, tmp_path, name):
    assert f"No module named '{name}'" in run(programs / "python", "-c", f"import {name}", cwd=tmp_path, code=1)
    (tmp_path / f"{name}.py").write_text("THEIRS = True\n")
    (tmp_path / "test_theirs.py").write_text(f"from {name} import THEIRS\n\n\ndef test_it():\n    assert THEIRS\n")
    run(programs / "python", "-m", "pytest", "-q", "test_theirs.py", cwd=tmp_path)
    used = f"from bench import Rig, paths; import {name}; assert {name}.__file__.startswith(str(paths.HOME))"
    run(programs / "python", "-c", used, cwd=tmp_path)


def test_every_part_of_the_bench_can_be_imported_first(programs, tmp_path):
    code = ("import pkgutil, subprocess, sys, bench\n"
            "parts = [m.name for m in pkgutil.iter_modules(bench.__path__) if m.name != '__main__']\n"
            "assert 'judge' in parts and 'trace' in parts\n"
            "for part in parts: subprocess.run([sys.executable, '-c', f'import bench.{part}'], check=True)")
    run(programs / "python", "-c", code, cwd=tmp_path)


def test_the_boards_exercisers_and_chips_of_both_are_listed(programs, lab):
    boards = run(programs / "bench", "boards", cwd=lab)
    assert "my_board" in boards and "twin210" in boards
    assert "at24c01:write_lost" in run(programs / "bench", "faults", "--board", "my_board", cwd=lab)
    assert "5 passed" in run(programs / "pytest", "fixtures", cwd=lab)


def test_a_check_of_the_lab_runs_on_the_twin_of_its_board(programs, lab):
    run(programs / "bench", "run", "--board", "my_board", "-k", "my_eeprom", "--record", lab / "records/first", cwd=lab)
    record = store.read(lab / "records/first")
    assert record.run.board == "my_board"
    checks = "drivers/my_eeprom/checks/test_my_eeprom.py"
    assert [(check.name, check.exerciser, check.device, check.outcome) for check in record.checks] == [
        (f"{checks}::test_a_read_returns_the_bytes_of_the_memory", "my_eeprom", "eeprom", Outcome.PASS),
        (f"{checks}::test_what_is_written_is_stored", "my_eeprom", "eeprom", Outcome.PASS),
    ]
    [verdict] = [verdict for call in record.checks[0].calls for verdict in call.verdicts]
    assert verdict.claim.startswith("each transfer with the memory does all of its messages")
    assert [(event.what, event.data) for event in record.checks[0].wire if event.source == "eeprom"] == [
        ("write 1 bytes", "00"), ("read 4 bytes", "00010203")]


def test_plain_pytest_gives_the_check_the_same_name(programs, lab):
    run(programs / "pytest", "--board", "my_board", "--fault", "at24c01:stuck_bit", "--record", lab / "records/second",
        "-k", "a_read", "drivers", "-p", "no:labgrid", cwd=lab, code=1)
    [check] = store.read(lab / "records/second").checks
    assert check.name == "drivers/my_eeprom/checks/test_my_eeprom.py::test_a_read_returns_the_bytes_of_the_memory"
    assert (check.outcome, check.reason) == (Outcome.FAIL, r"assert b'\x10\x11\x12\x13' == b'\x00\x01\x02\x03'")
