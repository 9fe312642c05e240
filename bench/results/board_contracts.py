"""A board's own contracts, `boards/<name>/contracts/*.py`: judged on each call whose events they need.

A call concerns a contract when the events of all its roles were recorded there, some came (for `never`: they would
have), and each `limit(NAME)` in it is an argument of the call. A violation fails the check; an inconclusive verdict is
kept in its record.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.judge import contract_files
from bench.judge.judge import judge as weigh
from bench.trace import Trace
from bench.verdict import Outcome, Verdict
from drivers.contract import Contract, ContractError

FOLDER = "contracts"


def load(board: Path) -> tuple[Contract, ...]:
    """The contracts kept beside a board, none when it has no such folder; UsageError file:line for a mistake."""
    folder = board / FOLDER
    return tuple(contract_files.load(folder)) if folder.is_dir() else ()


def judge(site: Iterable[Contract], trace: Trace, arguments: Mapping[str, Any]) -> Iterator[Verdict]:
    """A verdict for each contract that a call with these arguments concerns."""
    for contract in site:
        if not set(contract.unbound) <= set(arguments) or not contract_files.concerns(contract, trace):
            continue
        try:
            bound = contract_files.bind(contract, arguments)
            verdict = weigh(bound, trace)
        except ContractError as error:
            yield Verdict(Outcome.INCONCLUSIVE, str(contract), f"the board's contract is written wrongly: {error}")
            continue
        if verdict.outcome is not Outcome.INCONCLUSIVE or contract_files.saw(bound, trace):
            yield verdict
