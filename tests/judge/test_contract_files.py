"""Contract files: what is theirs, what they may bring along, what is wrong with them and where."""
import sys

import pytest

from bench.errors import UsageError
from bench.judge import contract_files

HEAD = "from drivers.contract import Tracepoint, contract, never, role\n"


def files(folder, **texts):
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def test_contracts_come_in_the_order_in_which_they_are_written_and_imported_ones_are_not_the_files_own(tmp_path):
    folder = files(tmp_path, mine=HEAD + """
from drivers.checks.spi_contracts import every_message_completes
zebra = contract("zebra", never(Tracepoint("a:b")))
apple = contract("apple", never(Tracepoint("a:c")))
again = apple

@contract
def a_third_one():
    return never(Tracepoint("a:d"))
""")
    assert [one.name for one in contract_files.load(folder / "mine.py")] == ["zebra", "apple", "a third one"]


def test_a_folder_is_all_its_files_each_with_helpers_of_its_own(tmp_path):
    made = []
    for name in ("one", "two"):
        made.append(files(tmp_path / name, helpers=f'import pathlib\nEVENT = "{name}:event"\n', rules=HEAD + (
            "import helpers\nit = contract(helpers.EVENT, never(Tracepoint(helpers.EVENT)))\n")) / "rules.py")
    assert [one.name for path in made for one in contract_files.load(path)] == ["one:event", "two:event"]
    assert "helpers" not in sys.modules and str(tmp_path / "one") not in sys.path
    both = files(tmp_path / "both", a=HEAD + 'a = contract("a", never(Tracepoint("t:a")))\n',
                 b=HEAD + 'b = contract("b", never(Tracepoint("t:b")))\n')
    assert [one.name for one in contract_files.load(both)] == ["a", "b"]


def test_a_file_may_declare_what_needs_its_module_to_be_known(tmp_path):
    files(tmp_path, mine="from __future__ import annotations\nfrom dataclasses import dataclass\n" + HEAD + """
@dataclass
class Event:
    name: str

one = contract("one", never(Tracepoint(Event("a:b").name)))
""")
    assert [one.events for one in contract_files.load(tmp_path / "mine.py")] == [["a:b"]]


def test_a_mistake_in_a_helper_is_told_where_the_file_asks_for_it(tmp_path):
    files(tmp_path, helper="1 / 0\n", mine="\n\nimport helper\n")
    with pytest.raises(UsageError, match=r"mine\.py:3: ZeroDivisionError: division by zero"):
        contract_files.load(tmp_path / "mine.py")
    assert str(tmp_path) not in sys.path and not [name for name in sys.modules if name.startswith("contracts of")]


@pytest.mark.parametrize(("text", "said"), [
    (b"\xff\xfe", "mine.py:1: no Python text"), (b"x = 1\0", "mine.py:1: "),
    (b"def f(:\n", "mine.py:1: invalid syntax"),
    (b"raise SystemError('no')", "mine.py:1: SystemError: no")])
def test_bytes_that_are_no_python_are_a_mistake_and_no_traceback(tmp_path, text, said):
    (tmp_path / "mine.py").write_bytes(text)
    with pytest.raises(UsageError) as error:
        contract_files.load(tmp_path / "mine.py")
    assert said in str(error.value)
