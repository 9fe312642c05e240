"""A program that set-up runs: its lines are passed on, its failure is told by its cause."""
import pytest

from bench.errors import SetupError
from bench.setup.process import run


def test_lines_are_passed_on_as_they_come():
    lines = []
    assert run(["printf", r"one\ntwo\n"], "printing", lines.append) == "one\ntwo"
    assert lines == ["one", "two"]


@pytest.mark.parametrize(("output", "reason"), [
    (r"CC a.o\na.c:3: error: expected ;\nmake[1]: *** [a.o] Error 1\nmake: *** [all] Error 2\n",
     "a.c:3: error: expected ;"),
    (r"I: fetching\nE: Unable to locate package x\nI: cleaning\n", "E: Unable to locate package x"),
    (r"crypto/Kconfig:1: can\047t open file\nmake: *** [x] Error 1\n", "crypto/Kconfig:1: can't open file"),
    ("", "no output"),
])
def test_a_failure_names_its_cause_and_not_what_follows_from_it(output, reason):
    with pytest.raises(SetupError) as e:
        run(["sh", "-c", f"printf '{output}'; exit 7"], "building")
    assert str(e.value).startswith(f"building failed (exit 7): {reason}; the command was: sh -c ")


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(SetupError, match=r"^looking failed \(exit 127\): .*no-such-program.*not found"):
        run(["no-such-program"], "looking")


def test_an_interrupt_ends_the_program_and_goes_on_up():
    def interrupt(line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(["sh", "-c", "echo begun; sleep 60"], "waiting", interrupt)
