"""Judge a contract on a trace: three-valued, with the events that show it.

A claim fails only on evidence that no loss can explain away; it passes only when its sources were enabled, some of its
events were seen and none can have been lost; everything else is inconclusive, with the reason.
"""
from __future__ import annotations

from bench.judge.intervals import INTERVALS
from bench.judge.result import Result
from bench.judge.states import STATES
from bench.judge.view import Unseen, View
from bench.trace.trace import Trace
from bench.verdict import Outcome, Verdict
from drivers.contract import Contract, ContractError, Expression, Join, Verb, inside

_OUTCOMES = {True: Outcome.PASS, False: Outcome.FAIL, None: Outcome.INCONCLUSIVE}


def judge(contract: Contract, trace: Trace) -> Verdict:
    """The verdict of one contract; raises ContractError for an unbound limit."""
    if contract.unbound:
        raise ContractError(f"{contract.name}: bind a value for {', '.join(contract.unbound)} first")
    view = View(trace)
    result = evaluate(contract.claim, view)
    if result.value is True and not _seen(contract, view):
        result = Result(None, "saw none of its events")
    return Verdict(_OUTCOMES[result.value], str(contract), result.reason, result.witnesses)


def _seen(contract: Contract, view: View) -> bool:
    """True when an event of some role was seen, or when the contract has only claims of absence."""
    verbs = list(inside(contract.claim, Verb))
    if all(verb.verb == "never" or (verb.verb == "count" and verb["exactly"] == 0) for verb in verbs):
        return True
    for role in contract.roles:
        try:
            if len(view.events(role)):
                return True
        except Unseen:
            continue
    return False


def evaluate(claim: Expression, view: View) -> Result:
    """The result of a claim, by Kleene's rules for compositions."""
    if isinstance(claim, Verb):
        try:
            return (INTERVALS.get(claim.verb) or STATES[claim.verb])(claim, view)
        except Unseen as unseen:
            return Result(None, str(unseen))
    if not isinstance(claim, Join):
        raise ContractError(f"{claim!r} is no claim")
    parts = [evaluate(part, view) for part in claim.parts]
    if claim.op == "not":
        return parts[0].negated
    if claim.op == "implies":
        parts[0] = parts[0].negated
    return _all(parts) if claim.op == "and" else _any(parts)


def _all(parts: list[Result]) -> Result:
    for value in (False, None):
        some = [part for part in parts if part.value is value]
        if some:
            return some[0] if len(some) == 1 else Result.joined(value, some)
    return Result.joined(True, parts)


def _any(parts: list[Result]) -> Result:
    for value in (True, None):
        some = [part for part in parts if part.value is value]
        if some:
            return some[0]
    return Result.joined(False, parts)
