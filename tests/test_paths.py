"""Boards, exercisers and chips outside the bench's own folders: where they are looked for, and what is refused."""
import os
import subprocess
import sys

import pytest

from bench import board as boards
from bench import paths
from bench.errors import UsageError
from bench.rig.exerciser import exercisers
from bench.target import agent_file
from fixtures import chips

CALLS = '"""Calls."""\nfrom drivers.agent.call import call\n\n\n@call\ndef ping():\n    """One."""\n    return 1\n'


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A repository outside, the current folder; nothing of it is left afterwards."""
    for name, text in {
        "pyproject.toml": '[tool.bench]\npaths = ["."]\n',
        "boards/labboard/board.yaml": "description: ours\ncompatible: lab,board\ndevices: {}\n",
        "drivers/__init__.py": "", "drivers/labtool/__init__.py": "", "drivers/labtool/calls.py": CALLS,
        "drivers/labtool/checks/__init__.py": "", "drivers/labtool/checks/helper.py": "",
        "fixtures/chips/labchip/__init__.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    monkeypatch.undo()
    paths.extend()


def test_what_a_pyproject_lists_is_found_as_the_bench_s_own(lab):
    paths.extend()
    assert "labboard" in boards.names() and "twin210" in boards.names()
    assert boards.load("labboard").description == "ours"
    assert "labtool" in exercisers() and "net" in exercisers()
    assert "labchip" in chips.names() and "dm9000" in chips.names()


def test_it_is_found_from_a_folder_below_and_gone_elsewhere(lab, monkeypatch):
    monkeypatch.chdir(lab / "boards")
    assert paths.outside() == (lab,)
    monkeypatch.chdir("/")
    paths.extend()
    assert "labtool" not in exercisers() and "labboard" not in boards.names()


def test_bench_path_lists_folders(lab, monkeypatch):
    other = lab / "other"
    (other / "drivers").mkdir(parents=True)
    (other / "drivers/__init__.py").touch()
    monkeypatch.chdir("/")
    monkeypatch.setenv("BENCH_PATH", f"{lab}{os.pathsep}{other}")
    assert paths.roots() == (paths.HOME, lab, other)


def test_an_exerciser_outside_is_in_the_agent_s_file_without_its_checks(lab):
    paths.extend()
    sources = agent_file._sources()
    assert sources["drivers/labtool/calls.py"] == lab / "drivers/labtool/calls.py"
    assert sources["drivers/__init__.py"] == paths.HOME / "drivers/__init__.py"
    assert "drivers/labtool/checks/helper.py" not in sources


@pytest.mark.parametrize(("folder", "ours"), [
    ("boards/twin210", "boards/twin210"), ("drivers/net", "drivers/net"), ("drivers/uapi", "drivers/uapi"),
    ("fixtures/chips/dm9000", "fixtures/chips/dm9000"),
])
def test_a_name_that_the_bench_has_is_refused_with_both_paths(lab, folder, ours):
    (lab / folder).mkdir(parents=True)
    with pytest.raises(UsageError) as e:
        paths.extend()
    assert str(e.value) == f"{lab / folder}: {paths.HOME / ours} has that name already; rename the new one"


@pytest.mark.parametrize(("text", "expected"), [
    ("[tool.bench]\npaths = '.'\n", "tool.bench.paths: expected a list of folders, found '.'"),
    ("[tool.bench]\npath = ['.']\n", "tool.bench: no key named 'path'; did you mean 'paths'?"),
    ("[tool.bench]\npaths = ['gone']\n", "tool.bench.paths: no folder {lab}/gone"),
    ("[tool.bench]\npaths = ['boards']\n", "{lab}/boards has none of the folders boards, drivers, fixtures/chips"),
    ("[tool.bench\n", "not TOML: "),
])
def test_a_mistake_in_the_pyproject_names_the_file(lab, text, expected):
    (lab / "pyproject.toml").write_text(text)
    with pytest.raises(UsageError) as e:
        paths.extend()
    assert str(e.value).startswith(f"{lab}/pyproject.toml: ")
    assert expected.format(lab=lab) in str(e.value)


def test_a_folder_of_exercisers_that_is_no_package_is_refused(lab):
    (lab / "drivers/__init__.py").unlink()
    with pytest.raises(UsageError, match=r"drivers/__init__\.py is missing"):
        paths.extend()


def test_another_package_of_the_name_that_is_imported_already_is_one_clear_error(tmp_path):
    (tmp_path / "fixtures.py").touch()
    code = "import sys; sys.path.insert(0, sys.argv[1]); import fixtures; from bench import Rig"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.stderr.splitlines()[-1].startswith("bench.errors.UsageError: another package 'fixtures' (")
