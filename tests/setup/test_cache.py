"""An artefact is there completely or not at all, whatever happens to the process that makes it."""
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from bench.errors import SetupError
from bench.setup.cache import Cache, digest, digest_files


def wait_until(condition, timeout_s=10):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "this did not come true in time"
        threading.Event().wait(0.01)


BUILDER = """
import pathlib, sys
from bench.setup.cache import Cache
from bench.setup.process import run

def build(folder):
    (folder / "half").write_text("half")
    print("building", flush=True)
    run(["sh", "-c", f"echo $$ > {sys.argv[1]}/child; sleep 60"], "sleeping")

Cache(pathlib.Path(sys.argv[1])).ensure("thing-1", build)
"""


@pytest.fixture
def killed_builder(tmp_path):
    """A real process, killed with SIGKILL in the middle of making thing-1; gives the cache's folder."""
    builder = subprocess.Popen([sys.executable, "-c", BUILDER, str(tmp_path)], stdout=subprocess.PIPE)
    assert builder.stdout.readline() == b"building\n"
    wait_until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text().strip())
    builder.kill()
    assert builder.wait() == -signal.SIGKILL
    builder.stdout.close()
    return tmp_path


def test_a_build_that_was_killed_leaves_nothing_in_use(killed_builder):
    assert Cache(killed_builder).find("thing-1") is None
    assert [p.read_text() for p in killed_builder.glob("thing.partial/half")] == ["half"]


def test_the_next_set_up_removes_what_a_killed_one_left_and_builds_anew(killed_builder):
    made = Cache(killed_builder).ensure("thing-1", lambda folder: (folder / "whole").write_text("whole"))
    assert made == killed_builder / "thing-1"
    assert [p.name for p in made.iterdir()] == ["whole"]
    assert sorted(p.name for p in killed_builder.iterdir()) == ["child", "lock", "lock.owner", "thing-1"]


def test_the_children_of_a_killed_build_die_with_it(killed_builder):
    child = int((killed_builder / "child").read_text())

    def gone():
        try:
            with open(f"/proc/{child}/stat") as f:
                return f.read().split(") ")[1][0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    wait_until(gone)


def test_a_build_that_raises_keeps_nothing_and_says_why(tmp_path):
    def build(folder):
        (folder / "half").touch()
        raise SetupError("the mirror is away")

    with pytest.raises(SetupError, match="the mirror is away"):
        Cache(tmp_path).ensure("thing-1", build)
    assert [p.name for p in tmp_path.iterdir() if not p.name.startswith("lock")] == []


def test_what_is_there_is_not_built_again(tmp_path):
    built = []
    for _ in range(3):
        Cache(tmp_path).ensure("thing-1", built.append)
    assert len(built) == 1


def test_two_set_ups_at_once_build_one_after_the_other_and_only_once(tmp_path):
    built, told = [], []
    inside, go_on = threading.Event(), threading.Event()

    def slowly(folder):
        built.append(folder)
        inside.set()
        assert go_on.wait(10)

    first = threading.Thread(target=Cache(tmp_path).ensure, args=("thing-1", slowly))
    first.start()
    assert inside.wait(10)

    def waiting(text):
        told.append(text)
        go_on.set()

    Cache(tmp_path).ensure("thing-1", slowly, waiting)
    first.join()
    assert len(built) == 1
    assert told == [f"another set-up (process {os.getpid()}) is at work in {tmp_path}; waiting for it"]


def test_an_artefact_that_nobody_asked_for_in_a_fortnight_goes_when_its_kind_is_built(tmp_path):
    cache = Cache(tmp_path)
    old = cache.ensure("thing-1", lambda folder: None)
    other_kind = cache.ensure("other-1", lambda folder: None)
    for folder in (old, other_kind):
        os.utime(folder, (0, 0))
    recent = cache.ensure("thing-2", lambda folder: None)
    newest = cache.ensure("thing-3", lambda folder: None)
    assert [p.exists() for p in (old, other_kind, recent, newest)] == [False, True, True, True]


def test_a_cache_folder_that_cannot_be_made_is_named_with_the_way_out(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=r"cannot write in the cache folder .*/file/cache: .*; set XDG_CACHE_HOME"):
        Cache(tmp_path / "file/cache").ensure("thing-1", lambda folder: None)


def test_a_hash_changes_with_each_input_and_with_where_one_ends(tmp_path):
    assert digest("ab", "c") != digest("a", "bc")
    assert digest(b"ab", b"c") != digest(b"a", b"bc")
    assert digest("a", ("b", 1)) == digest("a", ("b", 1)) != digest("a", ("b", 2))


def test_a_hash_of_files_changes_with_a_name_and_with_a_content(tmp_path):
    file = tmp_path / "a.c"
    file.write_text("int x;")
    first = digest_files([file], tmp_path)
    file.write_text("int y;")
    second = digest_files([file], tmp_path)
    renamed = file.rename(tmp_path / "b.c")
    assert len({first, second, digest_files([renamed], tmp_path)}) == 3
