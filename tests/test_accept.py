"""The main job, from the command line: a board accepted, a broken chip found out, a record judged again."""
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest

from bench import results, store
from bench.verdict import Outcome


def bench(*words, timeout):
    return subprocess.run([sys.executable, "-m", "bench", *words], capture_output=True, text=True, timeout=timeout)


@pytest.fixture(scope="module")
def accepted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("accept") / "record"
    return bench("accept", "--board", "twin210", "--quick", "--record", str(folder), timeout=600), folder


def test_the_twin_is_accepted(accepted):
    done, folder = accepted
    record = store.read(folder)
    wrong = [(c.name, c.reason) for c in (*results.of(record).failed, *results.of(record).broken)]
    assert wrong == []
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert len([c for c in record.checks if c.outcome is Outcome.PASS]) > 50


def test_acceptance_leaves_a_report_a_record_and_junit_xml(accepted):
    _, folder = accepted
    page = (folder / "report.html").read_text()
    assert "the carrier follows the cable both ways" in page
    assert "src=\"http" not in page and "href=\"http" not in page
    cases = xml.parse(folder / "junit.xml").getroot().iter("testcase")
    assert len(list(cases)) == len(store.read(folder).checks)
    assert list((folder / "traces").glob("*.dat")) and list((folder / "wire").glob("*.pcap"))


def test_every_check_left_all_three_witnesses_somewhere(accepted):
    checks = store.read(accepted[1]).checks
    carrier = next(c for c in checks if c.name.endswith("test_the_carrier_follows_the_cable_both_ways"))
    assert any(call.value for call in carrier.calls)
    assert [str(v.outcome) for call in carrier.calls for v in call.verdicts] == ["pass", "pass"]
    assert any(event.what.startswith("link") for event in carrier.wire)


def test_a_record_is_judged_again_without_a_board(accepted):
    done = bench("judge", str(accepted[1]), timeout=120)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_a_chip_that_swallows_completions_fails_the_board_and_the_report_says_why(tmp_path):
    folder = tmp_path / "record"
    fault = "dm9000:swallow_tx_completion"
    words = ["--fault", fault, "-k", "burst_that_stops", "--record", str(folder)]
    done = bench("accept", "--board", "twin210", *words, timeout=120)
    assert done.returncode == 1, done.stdout + done.stderr
    [check] = store.read(folder).checks
    assert check.outcome is Outcome.FAIL
    assert fault in (folder / "report.html").read_text()
    claims = [v.claim.split(":")[0] for call in check.calls for v in call.verdicts]
    assert "the driver is given just these frames" in claims
