"""Contracts kept beside a board are judged on each call whose events they need."""
import os
import re
import shutil
import subprocess
import sys

import pytest

from bench import board as boards
from bench import results, store
from bench.errors import UsageError
from bench.verdict import Outcome
from drivers.contract import Tracepoint, contract, every, limit, never, role
from tests.trace.pages import simple

CHECKS = """
from drivers.checks.net_contracts import every_frame_is_taken

def test_a_sends_while_its_frames_are_recorded(net, cable):
    _ = net.set_up_link(address="192.0.2.2", partner=cable.partner.ip).value
    taken = every_frame_is_taken.bind(interface="eth0")
    answer = net.tracing(taken).send_numbered(destination="02:00:00:00:00:fe", lengths=[60, 100])
    assert taken(answer)

def test_b_sends_while_nothing_is_recorded(net, cable):
    _ = net.set_up_link(address="192.0.2.2", partner=cable.partner.ip).value
    _ = net.send_numbered(destination="02:00:00:00:00:fe", lengths=[100]).value
"""
RULES = '''"""Ours."""
from drivers.contract import Tracepoint, at_most, contract, every, limit, never, role

given = role("frame given", Tracepoint("net:net_dev_start_xmit")).where(name=limit("interface"))
short = contract("no frame is longer than 99 bytes", every(given, len=at_most(99)))
elsewhere = contract("nothing is transferred", never(Tracepoint("spi:spi_transfer_start")))
'''


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """The twin's board in a folder of its own, with a rule."""
    folder = tmp_path_factory.mktemp("site") / "twin210"
    shutil.copytree(boards.folder_of("twin210"), folder, ignore=shutil.ignore_patterns("contracts", "__pycache__"))
    (folder / "contracts").mkdir()
    (folder / "contracts" / "rules.py").write_text(RULES)
    return folder


def test_a_violation_fails_the_check_whose_call_shows_it_and_no_other(board, tmp_path):
    (tmp_path / "test_all.py").write_text(CHECKS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:labgrid", "-p", "no:cacheprovider", "--board", str(board),
         "--record", str(tmp_path / "record"), str(tmp_path / "test_all.py"), "-q", f"--rootdir={tmp_path}"],
        capture_output=True, text=True, timeout=240, cwd=tmp_path, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 1, done.stdout + done.stderr
    sends, unrecorded = store.read(tmp_path / "record").checks
    assert (sends.outcome, unrecorded.outcome) == (Outcome.FAIL, Outcome.PASS)
    assert sends.reason.startswith("board contract violated: no frame is longer than 99 bytes: every frame given "
                                   "(name is eth0): len is at most 99: 1 × frame given is otherwise")
    [verdicts] = [call.verdicts for call in sends.calls if call.trace]
    assert [(v.outcome, v.claim.split(":")[0]) for v in verdicts] == [
        (Outcome.PASS, "every queued frame is given to the driver, which takes it"),
        (Outcome.FAIL, "no frame is longer than 99 bytes")]
    assert verdicts[1].witnesses[0].fields["len"] == 100


def test_a_mistake_in_a_boards_contract_is_told_before_anything_starts(board, capsys):
    from bench.cli import main
    wrong = board / "contracts" / "wrong.py"
    wrong.write_text('from drivers.contract import contract, never\nx = contract("x", never("open"))\n')
    try:
        assert main(["run", "--board", str(board), "-k", "carrier"]) == 64
    finally:
        wrong.unlink()
    assert re.search(r"contracts/wrong\.py:2: 'open' is no role", capsys.readouterr().err)


OPEN = role("open", Tracepoint("t:open"))
SMALL = contract("small", every(OPEN.where(key=limit("key")), value=0))
CALM = contract("calm", never(Tracepoint("t:mark")))


def said(contracts, trace, **arguments):
    found = results.board_contracts.judge(contracts, trace, arguments)
    return [(verdict.claim.split(":")[0], str(verdict.outcome)) for verdict in found]


def test_a_call_concerns_a_contract_when_its_events_were_recorded_and_came():
    trace = simple((1, 0, "t:open", 1, 0), (2, 0, "t:open", 2, 5), armed=("t:open",))
    assert said([SMALL, CALM], trace, key=1) == [("small", "pass")]
    assert said([SMALL], trace, key=2) == [("small", "fail")]
    assert said([SMALL], trace, key=3) == []
    assert said([SMALL], trace, interface="eth0") == []
    assert said([CALM], simple(armed=("t:mark",))) == [("calm", "pass")]


def test_what_was_lost_leaves_a_boards_contract_undecided():
    trace = simple((1, 0, "t:open", 1, 0), stats_after=["overrun: 3\n"])
    assert said([SMALL], trace, key=1) == [("small", "inconclusive")]


@pytest.mark.parametrize("name", boards.names())
def test_every_boards_contracts_can_be_read(name):
    for one in results.board_contracts.load(boards.folder_of(name)):
        assert one.name and one.events


def test_a_folder_without_contracts_is_a_mistake(tmp_path):
    (tmp_path / "contracts").mkdir()
    with pytest.raises(UsageError, match="no \\*\\.py file in this folder"):
        results.board_contracts.load(tmp_path)
    assert results.board_contracts.load(tmp_path / "contracts") == ()
