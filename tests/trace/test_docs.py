"""docs/traces.md tells the truth: its commands print what it shows, its Python runs, its files are what it quotes."""
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cli import main
from bench.judge import contract_files
from bench.judge.judge import judge
from bench.trace import Trace
from bench.verdict import Outcome

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "traces.md").read_text()
EXAMPLES = sorted(path.stem for path in (ROOT / "docs" / "traces").glob("*.py"))
CONSOLE = re.findall(r"```console\n\$ bench ([^\n]*)\n(.*?)```", PAGE, re.S)
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.S)


@pytest.mark.parametrize(("command", "shown"), CONSOLE, ids=[command for command, _ in CONSOLE])
def test_each_command_prints_what_the_page_shows(command, shown, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "120")
    main(shlex.split(command))
    out, err = capsys.readouterr()
    assert err == ""
    assert [line.rstrip() for line in out.splitlines()] == shown.splitlines()


def test_each_example_is_quoted_as_it_is():
    assert EXAMPLES == ["nic_completion", "spi_pairing", "usb_jitter"]
    for name in EXAMPLES:
        assert (ROOT / "docs" / "traces" / f"{name}.py").read_text() in PYTHON


def test_each_recording_has_all_that_its_contracts_need_and_is_small():
    for path in (ROOT / "docs" / "traces").glob("*.dat"):
        [own] = [name for name in EXAMPLES if path.stem.startswith(name)]
        trace = Trace.load(path)
        for contract in contract_files.load(ROOT / "docs" / "traces" / f"{own}.py"):
            assert contract_files.concerns(contract, trace), (path.name, contract.name)
        assert path.stat().st_size < 200_000


@pytest.mark.parametrize("block", [block for block in PYTHON if "Rig(" not in block])
def test_its_python_runs(block, monkeypatch):
    monkeypatch.chdir(ROOT)
    exec(compile(block, "docs/traces.md", "exec"), {})


def test_the_recording_script_records(tmp_path):
    [script] = [block for block in PYTHON if "Rig(" in block]
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    recorded = Trace.load(tmp_path / "spi_pairing.dat")
    assert recorded.events == {f"spi:spi_{name}": 32 for name in (
        "transfer_stop", "transfer_start", "message_done", "message_start", "message_submit")}
    contracts = contract_files.load(ROOT / "docs" / "traces" / "spi_pairing.py")
    verdicts = [judge(contract, recorded) for contract in contracts]
    assert verdicts[1], verdicts[1]  # the two with limits of time are decided, too; how, is up to the host's load
    assert Outcome.INCONCLUSIVE not in [verdict.outcome for verdict in verdicts]


def test_the_files_it_links_to_are_there():
    for name in re.findall(r"\]\(([^)h#][^)#]*)[^)]*\)", PAGE):
        assert (ROOT / "docs" / name).exists(), name
