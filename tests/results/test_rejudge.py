"""Judging a record again: from its traces alone, with contracts as they are now."""
import dataclasses

import pytest

from bench import results
from bench.verdict import Outcome, Verdict
from drivers.contract import Tracepoint, contract, limit, never, pair, role

XMIT = role("start_xmit", Tracepoint("bench:dm9000_start_xmit"))
DONE = role("tx_done", Tracepoint("bench:dm9000_tx_done"))
QUEUED = role("queued", Tracepoint("net:net_dev_queue", fields={"skb": "skbaddr"}))
SENT = role("sent", Tracepoint("net:net_dev_xmit", fields={"skb": "skbaddr"}))
TIMEOUT = role("timeout", Tracepoint("net:net_dev_xmit_timeout"))

queued_is_sent = contract("queued is sent", pair(QUEUED, SENT, key="skb"))
no_timeout = contract("no timeout", never(TIMEOUT))


def judged(record, *verdicts):
    """The sample's record whose send_frames had these verdicts when it was recorded."""
    def call(one):
        return dataclasses.replace(one, verdicts=verdicts) if one.trace else dataclasses.replace(one, verdicts=())
    checks = tuple(
        dataclasses.replace(check, outcome=Outcome.PASS, calls=tuple(map(call, check.calls)))
        for check in record.checks if check.pcap)
    return dataclasses.replace(record, checks=checks)


def was(one, outcome):
    return Verdict(outcome, str(one), "then")


def test_a_contract_that_still_holds_changes_nothing(sample):
    again = results.judge(judged(sample, was(queued_is_sent, Outcome.PASS)), [queued_is_sent])
    assert (again.judged, again.changes, again.notes) == (1, (), ())
    assert again.record.checks[0].outcome is Outcome.PASS


def test_a_verdict_that_is_worse_now_makes_its_check_worse(sample):
    again = results.judge(judged(sample, was(no_timeout, Outcome.PASS)), [no_timeout])
    [change] = again.changes
    assert (change.before.outcome, change.after.outcome, change.call) == (Outcome.PASS, Outcome.FAIL, "net.send_frames")
    assert [w.event for w in change.after.witnesses] == ["net:net_dev_xmit_timeout"]
    assert again.record.checks[0].outcome is Outcome.FAIL
    assert again.record.checks[0].reason.startswith("judged again: no timeout: ")
    assert results.exit_code(again.record) == 1


def test_a_verdict_that_is_better_now_does_not_pass_a_check_that_failed(sample):
    record = judged(sample, was(queued_is_sent, Outcome.FAIL))
    record = dataclasses.replace(record, checks=(dataclasses.replace(record.checks[0], outcome=Outcome.FAIL),))
    again = results.judge(record, [queued_is_sent])
    assert [(c.before.outcome, c.after.outcome) for c in again.changes] == [(Outcome.FAIL, Outcome.PASS)]
    assert again.record.checks[0].outcome is Outcome.FAIL


def test_a_new_contract_is_judged_where_its_events_were_armed(sample):
    elsewhere = contract("elsewhere", never(role("r", Tracepoint("spi:spi_message_submit"))))
    again = results.judge(judged(sample), [no_timeout, elsewhere])
    assert [(c.before, c.after.claim) for c in again.changes] == [(None, str(no_timeout))]


def test_a_contract_whose_claim_was_changed_is_found_by_its_name(sample):
    again = results.judge(judged(sample, Verdict(Outcome.PASS, "no timeout: as it was worded then")), [no_timeout])
    assert [c.after.outcome for c in again.changes] == [Outcome.FAIL]


def test_a_contract_that_is_gone_keeps_its_verdict_and_is_said(sample):
    gone = Verdict(Outcome.PASS, "gone: some claim")
    again = results.judge(judged(sample, gone), [])
    assert again.notes == ("no contract has this name today: gone: some claim",)
    assert again.record.checks[0].calls[1].verdicts == (gone,)


def test_a_contract_with_an_unbound_limit_is_said(sample):
    unbound = contract("soon", pair(QUEUED, SENT, key="skb", within=limit("soon_ms")))
    again = results.judge(judged(sample, Verdict(Outcome.PASS, "soon: …")), [unbound])
    assert again.notes == ("cannot be judged again: soon: bind a value for soon_ms first",)


@pytest.mark.parametrize(("name", "reason"), [
    ("traces/none.dat", "cannot be read"), ("../../x", "lies outside its record")])
def test_a_trace_that_cannot_be_had_is_said(sample, name, reason):
    record = judged(sample, was(no_timeout, Outcome.PASS))
    [check] = record.checks
    calls = tuple(dataclasses.replace(call, trace=name) if call.trace else call for call in check.calls)
    again = results.judge(dataclasses.replace(record, checks=(dataclasses.replace(check, calls=calls),)), [no_timeout])
    assert again.changes == ()
    assert reason in again.notes[0]


def test_a_boards_own_contracts_are_judged_though_they_were_written_after_the_run(sample, tmp_path, monkeypatch):
    rules = tmp_path / sample.run.board / "contracts" / "rules.py"
    rules.parent.mkdir(parents=True)
    rules.write_text("from drivers.contract import Tracepoint, contract, never\n"
                     'calm = contract("no timeout here", never(Tracepoint("net:net_dev_xmit_timeout")))\n')
    monkeypatch.setattr("bench.results.rejudge.folder_of", lambda name: tmp_path / name)
    again = results.judge(judged(sample))
    [change] = again.changes
    assert (change.before, change.after.outcome) == (None, Outcome.FAIL)
    assert again.record.checks[0].reason.startswith("judged again: no timeout here: ")
