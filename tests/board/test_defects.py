"""Known defects: read from beside the checks, matched by driver, check and kernel version."""
import ast
import re
from pathlib import Path

import pytest

import drivers
from bench import board as boards
from bench.board import defects
from bench.errors import BoardError

FILE = """\
s3c-i2c:
  - check: "test_x[(open|use):s3c-i2c/]"
    reason: first
    seen_in: "6.12"
  - check: "[leak:s3c-i2c/]"
    reason: second
    seen_in: ["6.1", "6.12"]
    fixed_in: ["6.15", "6.12.40"]
dm9000:
  - check: test_y
    reason: third
    seen_in: "6.10"
"""


@pytest.fixture
def read(tmp_path):
    def read(text):
        (tmp_path / "known_defects.yaml").write_text(text)
        return tuple(defects.read_file(tmp_path / "known_defects.yaml"))

    return read


def reason(known, check, drivers=(), release="6.12.57+deb13-armmp"):
    found = boards.applying(known, f"drivers/l/checks/test_l.py::{check}", drivers, release)
    return found and found.reason


def test_a_known_defect_may_name_cases_of_a_check(read):
    known = read(FILE)
    assert reason(known, "test_x[open:s3c-i2c/1.i2c]") == "first"
    assert reason(known, "test_x[load:s3c-i2c/1.i2c]") is None
    assert reason(known, "test_y[open:s3c-i2c/1.i2c]") is None
    assert reason(known, "test_y[leak:s3c-i2c/1.i2c]", release="6.12.39") == "second"


def test_it_applies_where_a_device_under_test_has_its_driver(read):
    known = read(FILE)
    assert reason(known, "test_y", ["spidev", "dm9000"]) == "third"
    assert reason(known, "test_y[A]", ["dm9000"]) == "third"
    assert reason(known, "test_y", ["smsc911x"]) is None


@pytest.mark.parametrize(("release", "has_it"), [
    ("6.0.19", False), ("6.1.0", True), ("6.1.158-v7+", True), ("6.12", True), ("6.12.39", True), ("6.12.40", False),
    ("6.13.4", True), ("6.14.12", True), ("6.15.0-rc1", False), ("6.100.1", False), ("7.0", False), ("", False),
    ("next", False),
])
def test_it_applies_from_the_oldest_kernel_that_showed_it_to_the_fix(read, release, has_it):
    assert (reason(read(FILE), "test_z[leak:s3c-i2c/1]", release=release) == "second") is has_it


def test_a_kernel_of_unknown_version_has_the_defects_that_have_no_fix(read):
    assert reason(read(FILE), "test_y", ["dm9000"], release="") == "third"


@pytest.mark.parametrize(("old", "new", "expected"), [
    ("(open|use)", "(open|use", ":2: s3c-i2c[0].check: expected a regular expression between [ and ]"),
    ('"6.10"', "6.10", ":12: dm9000[0].seen_in: expected a kernel version in quotes"),
    ('"6.10"', "[]", ":12: dm9000[0].seen_in: expected a kernel version in quotes"),
    ('"6.10"', '"6.x"', ":12: dm9000[0].seen_in: expected a kernel version in quotes"),
    ('    seen_in: "6.10"\n', "", ":10: dm9000[0].seen_in: missing; expected a kernel version in quotes"),
    ("    reason: third", "    raeson: third", ":10: dm9000[0].reason: missing; expected why it fails"),
    ('"6.10"', '"6.10"\n    fixed: "6.11"', ":13: dm9000[0].fixed: unknown key; expected one of check, reason"),
    ("dm9000:\n  - check: test_y", "dm9000:\n  - test_y\n  - check: test_y", ":10: dm9000[0]: expected a mapping"),
    ("dm9000:\n  - check: test_y", "dm9000:\n    check: test_y", ":9: dm9000: expected a list of {check, reason"),
])
def test_a_mistake_names_file_line_and_key(read, old, new, expected):
    assert old in FILE
    with pytest.raises(BoardError) as e:
        read(FILE.replace(old, new, 1))
    assert f"known_defects.yaml{expected}" in str(e.value)


def test_a_boards_own_defect_applies_there_whatever_the_driver_and_the_kernel(tmp_path):
    text = "description: b\ncompatible: b,b\ndevices: {}\nknown_defects:\n  - {check: test_y, reason: ours}\n"
    (tmp_path / "board.yaml").write_text(text)
    known = boards.load(str(tmp_path)).known_defects
    assert reason(known, "test_y") == "ours"
    (tmp_path / "board.yaml").write_text(text.replace("ours}", 'ours, seen_in: "6.12"}'))
    with pytest.raises(BoardError, match=r"board.yaml:5: known_defects\[0\].seen_in: unknown key"):
        boards.load(str(tmp_path))


def test_the_drivers_of_a_device_are_its_own_and_those_of_its_buses():
    board = boards.load("twin210")
    assert board.drivers_of(["loopback"]) == {"spidev", "s3c64xx-spi"}
    assert board.drivers_of(["clock", "ethernet"]) == {"rtc-pcf8563", "s3c-i2c", "dm9000"}


def test_every_entry_names_a_check_that_lies_beside_it():
    missing = []
    for path in sorted(Path(drivers.__path__[0]).glob("*/checks/known_defects.yaml")):
        names = {node.name for test in path.parent.glob("test_*.py")
                 for node in ast.walk(ast.parse(test.read_text())) if isinstance(node, ast.FunctionDef)}
        for defect in defects.read_file(path):
            name = defect.check.partition("[")[0]
            if name not in names and not (defect.check.startswith("[") and f":{defect.driver}/" in defect.check):
                missing.append(f"{path}: {defect.check}")
    assert missing == []


def test_every_entry_names_its_text_in_the_docs():
    for defect in (*boards.of_drivers(), *boards.load("twin210").known_defects):
        assert re.search(r"docs/defects/\w+\.md \d+\)$", defect.reason), defect
