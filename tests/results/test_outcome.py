"""What a run comes to: exit codes, counts and the sentence on top."""
import pytest

from bench import results
from bench.store import CheckRecord
from bench.verdict import Outcome, Verdict

PASS, FAIL, UNSURE, BROKEN, SKIP = (
    Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.BROKEN, Outcome.SKIP)


def one(outcome, known=None):
    return CheckRecord("drivers/net/checks/test_a.py::test_a", "a", "net", outcome, known_defect=known, seconds=0.5)


@pytest.mark.parametrize(("checks", "complete", "code", "headline"), [
    ([one(PASS), one(PASS), one(SKIP)], True, 0, "All 2 checks that ran passed."),
    ([one(PASS), one(FAIL)], True, 1, "1 of 2 checks failed."),
    ([one(FAIL)], True, 1, "1 of 1 check failed."),
    ([one(PASS), one(UNSURE)], True, 2, "No check failed, but 1 of 2 checks were inconclusive."),
    ([one(PASS), one(BROKEN)], True, 3,
     "The rig or the bench broke in 1 of 2 checks, which says nothing about the drivers."),
    ([one(FAIL), one(BROKEN), one(UNSURE)], True, 1, "1 of 3 checks failed."),
    ([one(BROKEN), one(UNSURE)], True, 3,
     "The rig or the bench broke in 1 of 2 checks, which says nothing about the drivers."),
    ([one(PASS), one(FAIL, "it is known")], True, 0, "1 of 2 checks passed."),
    ([one(PASS, "it is known")], True, 0, "All 1 check that ran passed."),
    ([one(UNSURE, "it is known")], True, 2, "No check failed, but 1 of 1 check were inconclusive."),
    ([], True, 2, "No check ran."),
    ([one(SKIP)], True, 2, "Nothing was judged: all 1 check were skipped."),
    ([one(PASS)], False, 3, "No check failed in the 1 check that ran."),
    ([one(FAIL)], False, 1, "1 of 1 check failed."),
])
def test_a_run_ends_with_the_code_and_the_sentence_of_its_worst_check(checks, complete, code, headline):
    summary = results.summary(checks, complete)
    assert (summary.exit_code, summary.headline) == (code, headline)


def test_what_else_is_to_be_said_follows_the_headline():
    summary = results.summary([one(FAIL), one(BROKEN), one(UNSURE), one(FAIL, "known"), one(PASS, "known")], False)
    assert summary.more == (
        "The rig or the bench broke in 1 check. 1 check were inconclusive. 1 check failed with a known defect. "
        "1 check passed despite a known defect: has it been fixed? The run was stopped early.")


def test_counts_keep_known_defects_apart():
    summary = results.summary([one(PASS), one(FAIL), one(FAIL, "known"), one(PASS, "known")])
    assert summary.as_dict() == {"passed": 2, "failed": 1, "inconclusive": 0, "broken": 0, "skipped": 0, "known": 1,
                                 "fixed": 1, "exit_code": 1, "seconds": 2.0}


def test_the_sample_run_fails(sample):
    assert results.exit_code(sample) == 1


def test_why_is_the_reason_or_the_verdict_or_the_assertion(failing):
    from dataclasses import replace
    assert results.why(failing).startswith("3 frames were handed to the chip")
    claim = "every frame is completed: each frame given to the chip is followed by one completion within 100 ms"
    reason = results.why(replace(failing, reason=""))
    assert reason.startswith(f"{claim}: 1 × frame given to the chip without completion")
    assert results.why(replace(failing, reason="", calls=())) == (
        "    def test_every_frame_that_is_sent_is_completed(net, cable):")
    assert results.why(one(FAIL)) == "no reason was recorded"
    assert str(Verdict(FAIL, "claim")) == "fail: claim"
