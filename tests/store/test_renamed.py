"""A record that was written before names changed reads, is judged and compares under today's names."""
import gzip
import importlib
import re
import shutil
from pathlib import Path

import pytest

from bench import results, store
from bench.cli import main
from bench.store import renamed
from bench.verdict import Outcome

ROOT = Path(__file__).parents[2]
OLD = Path(__file__).parent / "data" / "record-before-renames"
TITLES = {"Checks": "check", "Contracts": "contract", "Calls": "call", "Faults": "fault"}


def unpacked(folder):
    """A copy of the old record with its traces as they were."""
    shutil.copytree(OLD, folder)
    for packed in folder.glob("traces/*.gz"):
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()
    return folder


@pytest.fixture
def old(tmp_path):
    """The small old record, its traces unpacked."""
    return unpacked(tmp_path / "old")


@pytest.fixture
def names(monkeypatch):
    """A table of the test's own."""
    table = {kind: {} for kind in renamed.KINDS}
    monkeypatch.setattr(renamed, "table", lambda: table)
    return table


def test_a_check_has_the_name_and_the_place_of_today(names):
    names["check"]["drivers/net/test_hosts.py::test_old"] = "drivers/net/checks/test_ip.py::test_new"
    assert renamed.check("drivers/net/test_hosts.py::test_old[a-1]") == "drivers/net/checks/test_ip.py::test_new[a-1]"
    assert renamed.check("drivers/net/test_hosts.py::test_same") == "drivers/net/checks/test_hosts.py::test_same"
    assert renamed.check("drivers/net/checks/test_ip.py::test_new") == "drivers/net/checks/test_ip.py::test_new"
    assert renamed.check("tests/x/test_y.py::test_z") == "tests/x/test_y.py::test_z"


def test_what_was_renamed_twice_has_its_last_name_and_a_circle_ends(names):
    names["call"].update({"net.a": "net.b", "net.b": "net.c", "net.x": "net.y", "net.y": "net.x"})
    assert (renamed.call("net.a"), renamed.call("net.c"), renamed.call("net.other")) == ("net.c", "net.c", "net.other")
    assert renamed.call("net.x") == "net.y"


def test_a_contract_keeps_its_claim(names):
    names["contract"]["each frame is told"] = "every frame is reported"
    assert renamed.contract("each frame is told: each a is followed by b") == (
        "every frame is reported: each a is followed by b")
    assert renamed.contract("each frame is told") == "every frame is reported"
    assert renamed.contract("each frame is told twice: x") == "each frame is told twice: x"


def test_a_record_is_read_in_todays_names(old, names):
    names["check"]["drivers/rtc/test_rtc.py::test_a_clock_that_is_gone_is_an_error_and_not_a_time"] = (
        "drivers/rtc/checks/test_rtc.py::test_a_missing_clock_reads_as_eio")
    names["call"]["rtc.read"] = "rtc.read_time"
    names["contract"]["a reading ends with this error"] = "rtc_read_time returns this errno"
    record = store.read(old)
    [clock] = [check for check in record.checks if check.exerciser == "rtc"]
    assert clock.name == "drivers/rtc/checks/test_rtc.py::test_a_missing_clock_reads_as_eio"
    assert clock.sentence == "a missing clock reads as eio"
    assert clock.calls[0].call == "rtc.read_time"
    claims = [verdict.claim.partition(":")[0] for call in clock.calls for verdict in call.verdicts]
    assert "rtc_read_time returns this errno" in claims


def test_the_old_record_reads_as_it_was_judged(old):
    record = store.read(old)
    assert record.complete and len(record.checks) == 5
    assert {Path(check.name.partition("::")[0]).parent.name for check in record.checks} == {"checks"}
    assert sorted(check.outcome for check in record.checks) == [Outcome.FAIL] + [Outcome.PASS] * 4
    assert results.exit_code(record) == results.PASSED


def test_the_old_record_is_judged_again_with_nothing_changed(old):
    again = results.judge(store.read(old))
    assert again.judged == 4
    assert [change.after for change in again.changes] == []
    assert [note for note in again.notes if "no contract has this name" in note] == []


def test_every_check_and_call_of_the_old_record_is_there_today(old):
    for check in store.read(old).checks:
        file, _, function = check.name.partition("::")
        assert f"def {function.partition('[')[0]}(" in (ROOT / file).read_text()
        for call in check.calls:
            exerciser, _, name = call.call.partition(".")
            assert hasattr(importlib.import_module(f"drivers.{exerciser}.calls"), name), call.call


def test_the_old_record_is_compared_with_one_of_today(old, tmp_path, capsys):
    store.rewrite(store.read(old))  # as it would be written today
    new = shutil.move(old, tmp_path / "new")
    assert main(["trace", "diff", str(unpacked(tmp_path / "old")), str(new)]) == 0
    said = capsys.readouterr().out
    assert "only in" not in said and "nothing differs" in said


def test_the_table_in_the_docs_is_the_table_of_the_bench():
    kind, rows = "", []
    for line in (ROOT / "docs" / "renamed-checks.md").read_text().splitlines():
        if line.startswith("## "):
            kind = TITLES[line[3:]]
        elif match := re.fullmatch(r"\| `(.+)` \| `(.+)` \|", line):
            rows.append((kind, *(name.replace("\\|", "|") for name in match.groups())))
    lines = [tuple(line.split("\t")) for line in renamed.TABLE.read_text().splitlines()]
    assert rows == lines


def test_every_new_name_of_a_check_is_a_check_of_today():
    for name in renamed.table()["check"].values():
        if renamed.check(name) == name:
            file, _, function = name.partition("::")
            assert f"def {function}(" in (ROOT / file).read_text(), name


def test_a_usb_capture_of_before_is_a_capture_by_its_recorder():
    old = {"pcap": "wire/0001-00-usb.pcap", "bus": 1, "device": 2, "lost": 0, "clock_offset_ns": 17,
           "clock_error_ns": 5, "missing": ""}
    check = {"calls": [{"call": "mouse.watch", "usb": old}, {"call": "net.ping", "usb": None}]}
    assert renamed.captures_today(check) == {"calls": [
        {"call": "mouse.watch", "captures": [{
            "recorder": "usb", "format": "usbmon", "file": "wire/0001-00-usb.pcap",
            "source": {"bus": 1, "device": 2}, "lost": 0,
            "clock_offset_ns": 17, "clock_error_ns": 5, "missing": ""}]},
        {"call": "net.ping"}]}
