"""junit.xml: what a CI server shows of a record."""
import dataclasses
import xml.etree.ElementTree as xml

from bench import report
from bench.verdict import Outcome


def cases(record, tmp_path):
    report.write_junit(record, tmp_path / "junit.xml")
    root = xml.parse(tmp_path / "junit.xml").getroot()
    return root.find("testsuite"), {case.get("name"): case for case in root.iter("testcase")}


def test_every_check_is_a_test_case_and_the_counts_agree(sample, tmp_path):
    suite, found = cases(sample, tmp_path)
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped", "name", "hostname")} == {
        "tests": "21", "failures": "1", "errors": "2", "skipped": "2", "name": "twin210 6.12.107", "hostname": "lab-3"}
    assert len(found) == 21


def test_each_outcome_has_its_own_element(sample, tmp_path):
    _, found = cases(sample, tmp_path)
    tags = {name: [(child.tag, child.get("type")) for child in case if child.tag not in (
        "properties", "system-out", "system-err")] for name, case in found.items()}
    assert tags["every frame that is sent is completed"] == [("failure", "fail")]
    assert tags["no skb is freed twice"] == [("error", "inconclusive")]
    assert tags["a hundred link flaps"] == [("error", "broken")]
    assert tags["the device wakes on a magic packet"] == [("skipped", None)]
    assert tags["a bad EEPROM falls back to the devicetree"] == [("skipped", None)]
    assert tags["ARP is answered"] == []


def test_a_failure_carries_its_reason_assertion_and_measured_values(sample, tmp_path):
    _, found = cases(sample, tmp_path)
    case = found["every frame that is sent is completed"]
    assert (case.get("classname"), case.get("time")) == ("dm9000.ethernet", "5.410")
    assert case.find("failure").get("message").startswith("3 frames were handed to the chip and 2 completions")
    assert ">       assert every_frame_is_completed(answer)" in case.find("failure").text
    assert {p.get("name"): p.get("value") for p in case.iter("property")} == {
        "nodeid": "drivers/dm9000/checks/test_transmit.py::test_every_frame_that_is_sent_is_completed",
        "measured.completion, longest": "5200 ms (limit 100)", "measured.frames": "3 "}
    assert "fail: splat: dm9000 10000000.ethernet eth0: NETDEV WATCHDOG" in case.find("system-out").text


def test_text_that_xml_forbids_is_shown_as_something_that_it_allows(recorded, failing, hostile, tmp_path):
    check = dataclasses.replace(failing, sentence=hostile, reason=hostile, failure=hostile + "\ufffe", name=hostile,
                                console=((1, hostile),), outcome=Outcome.BROKEN)
    _, found = cases(recorded(check), tmp_path)
    [name] = found
    assert name.startswith("<script>document.title='owned'</script>␀‹U+202E›txt.exe")
