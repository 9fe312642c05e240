"""A crash is a result: charged to the check that caused it, and the run continues with the next one.

The same with one twin and with the checks shared between two.
"""
import os
import subprocess
import sys

import pytest

from bench import results, store
from bench.verdict import Outcome

CHECKS = """
import pytest

def test_a_panics(kernel):
    kernel.sysrq(key="c")

def test_b_is_well_after_the_panic(agent):
    assert agent.echo(value=1).value == 1

def test_c_hangs(agent):
    agent.timeout(1.0).wait(seconds=60.0)

def test_d_is_well_after_the_hang(agent):
    assert agent.echo(value=2).value == 2

def test_f_raises_on_the_target(agent):
    assert agent.open_file(path="/nonexistent").value

def test_g_gets_an_errno_as_a_value(agent):
    assert agent.open_file(path="/nonexistent").errno == 2

def test_h_fails_by_itself(agent):
    assert agent.echo(value=3).value == 4

def test_i_has_a_mistake_of_its_own(agent):
    {}["missing"]

def test_j_is_not_on_this_board(agent):
    pytest.skip("no such device here")

def test_k_cannot_know(agent, measure):
    measure("answer", 42, "apples", limit=100)
    from bench.errors import Inconclusive
    raise Inconclusive("nobody saw it")
"""


@pytest.fixture(scope="module", params=[(), ("-n", "2", "--maxschedchunk", "1")], ids=["one twin", "two twins"])
def record(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checks")
    checks = folder / "test_all.py"
    checks.write_text(CHECKS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:labgrid", "-p", "no:cacheprovider", "--board", "twin210",
         "--record", str(folder / "record"), str(checks), "-q", f"--rootdir={folder}", *request.param],
        capture_output=True, text=True, timeout=240, cwd=folder, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return store.read(folder / "record")


@pytest.fixture
def of(record):
    by_name = {check.name.rsplit("::", 1)[-1][5]: check for check in record.checks}
    return by_name.__getitem__


def test_a_panic_is_the_failure_of_the_check_that_caused_it(of):
    assert of("a").outcome is Outcome.FAIL
    assert "the kernel crashed" in of("a").reason
    assert any("Kernel panic" in text for _, text in of("a").console)


def test_the_check_after_a_panic_runs_on_a_power_cycled_board(of):
    assert of("b").outcome is Outcome.PASS


def test_a_hang_is_the_failure_of_the_check_that_caused_it(of):
    assert of("c").outcome is Outcome.FAIL
    assert of("c").reason == "the target gave no answer within 1 s"
    assert of("d").outcome is Outcome.PASS


def test_what_a_call_raises_is_a_failure_with_the_targets_traceback(of):
    assert of("f").outcome is Outcome.FAIL
    assert of("f").reason == "agent.open_file: FileNotFoundError: [Errno 2] No such file or directory: '/nonexistent'"
    assert of("g").outcome is Outcome.PASS


def test_a_mistake_in_a_check_is_never_the_drivers_fault(of):
    assert of("i").outcome is Outcome.BROKEN
    assert of("i").reason == "KeyError: 'missing'"


def test_the_other_outcomes_are_kept_apart(of):
    assert [of(c).outcome for c in "hjk"] == [Outcome.FAIL, Outcome.SKIP, Outcome.INCONCLUSIVE]
    assert (of("k").measured[0].name, of("k").measured[0].value, of("k").measured[0].limit) == ("answer", 42.0, 100.0)


def test_the_run_as_a_whole_failed(record):
    assert record.complete
    assert results.exit_code(record) == 1
