"""Judge a record again, offline: its traces, and contracts as they are now."""
from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import drivers
from bench.board import folder_of
from bench.errors import RecordError
from bench.judge.contract_files import bind
from bench.judge.judge import judge as judge_contract
from bench.results import board_contracts
from bench.store import CallRecord, CheckRecord, Record
from bench.trace import Trace
from bench.verdict import Outcome, Verdict
from drivers.contract import Contract, ContractError

_WORSE = (Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL)


@dataclass(frozen=True)
class Change:
    """A verdict that is no longer what it was; `before` is None for a contract that was not judged then."""

    check: CheckRecord
    call: str
    before: Verdict | None
    after: Verdict


@dataclass(frozen=True)
class Judgement:
    """A record judged again: the record with its new verdicts, what changed, and what could not be judged.

    A check's outcome gets worse with its verdicts and never better: what its assertions would have said after a verdict
    that failed then is not in the record.
    """

    record: Record
    changes: tuple[Change, ...]
    judged: int
    notes: tuple[str, ...]


def judge(record: Record, contracts: Iterable[Contract] | None = None) -> Judgement:
    """Judge the traces of `record` again.

    `contracts` None: each contract that was judged then, as the exercisers' contracts.py files and the board's own have
    it now, and the board's own on each call that they concern. Given: those with the name of one that was judged, and
    any other on each trace for which its events were armed.
    """
    own = board_contracts.load(folder_of(record.run.board)) if contracts is None else ()
    known = [*_of_exercisers(), *own] if contracts is None else list(contracts)
    changes: list[Change] = []
    notes: list[str] = []
    judged = 0
    checks = []
    for check in record.checks:
        calls, worse = [], list[Verdict]()
        for call in check.calls:
            fresh = own if contracts is None else tuple(known)
            verdicts = tuple(_verdicts(record.folder, check, call, known, fresh, notes))
            judged += sum(1 for _, after in verdicts if after is not None)
            changed = [
                Change(check, call.call, before, after) for before, after in verdicts
                if after is not None and (before is None or before.outcome is not after.outcome)
            ]
            worse += [change.after for change in changed]
            changes += changed
            kept = tuple(verdict for before, after in verdicts if (verdict := after or before) is not None)
            calls.append(dataclasses.replace(call, verdicts=kept))
        checks.append(_worse(dataclasses.replace(check, calls=tuple(calls)), worse))
    again = dataclasses.replace(record, checks=tuple(checks))
    return Judgement(again, tuple(changes), judged, tuple(dict.fromkeys(notes)))


def _verdicts(folder: Path, check: CheckRecord, call: CallRecord, known: list[Contract], fresh: tuple[Contract, ...],
              notes: list[str]) -> Iterator[tuple[Verdict | None, Verdict | None]]:
    """Pairs (before, after): all verdicts of the call, then those of contracts that were not judged then."""
    trace = _load(folder, call, notes) if call.trace and (call.verdicts or fresh) else None
    done = set()
    for before in call.verdicts:
        found = _find(before, known)
        after = None
        if trace is None:
            notes.append(f"{check.sentence}: {call.call} has no trace that can be judged again")
        elif found is None:
            notes.append(f"no contract has this name today: {before.claim}")
        else:
            done.add(found.name)
            after = _judged(bind(found, call.arguments) if found in fresh else found, trace, notes)
        yield before, after
    if trace is not None:
        new = [contract for contract in fresh if contract.name not in done]
        yield from ((None, verdict) for verdict in board_contracts.judge(new, trace, call.arguments))


def _judged(contract: Contract, trace: Trace, notes: list[str]) -> Verdict | None:
    try:
        return judge_contract(contract, trace)
    except ContractError as error:  # a limit that the check bound from the board's data
        notes.append(f"cannot be judged again: {error}")
        return None


def _load(folder: Path, call: CallRecord, notes: list[str]) -> Trace | None:
    path = (folder / str(call.trace)).resolve()
    if not path.is_relative_to(folder.resolve()):
        notes.append(f"the trace of {call.call} lies outside its record: {call.trace}")
        return None
    try:
        return Trace.load(path)
    except (RecordError, OSError) as error:
        notes.append(f"the trace of {call.call} cannot be read: {error}")
        return None


def _find(verdict: Verdict, known: Iterable[Contract]) -> Contract | None:
    """The contract that gave a verdict: the same sentence, else the same name (its claim was changed since)."""
    known = list(known)
    same = [contract for contract in known if str(contract) == verdict.claim]
    named = [contract for contract in known if verdict.claim.startswith(f"{contract.name}: ")]
    return next(iter(same or named), None)


def _worse(check: CheckRecord, changed: list[Verdict]) -> CheckRecord:
    """The check with the worst outcome that its changed verdicts bring, when that is worse than its own."""
    if check.outcome not in _WORSE:
        return check
    said = max((v for v in changed if v.outcome in _WORSE), key=lambda v: _WORSE.index(v.outcome), default=None)
    if said is None or _WORSE.index(said.outcome) <= _WORSE.index(check.outcome):
        return check
    return dataclasses.replace(check, outcome=said.outcome, reason=f"judged again: {said.claim}: {said.reason}")


def _of_exercisers() -> Iterator[Contract]:
    files = ((path, Path(root)) for root in drivers.__path__ for path in sorted(Path(root).glob("**/*contracts.py")))
    for path, root in files:
        name = ".".join(path.relative_to(root.parent).with_suffix("").parts)
        module = importlib.import_module(name)
        yield from (value for value in vars(module).values() if isinstance(value, Contract))
