"""Judge a contract on a trace: three-valued, with the events that show it.

A claim fails only on evidence that no loss can explain away; it passes only when its sources were armed, some of its
events were seen and none can have been lost; everything else is inconclusive, with the reason.
"""
from __future__ import annotations

from bench.judge.intervals import VERBS
from bench.judge.result import Finding
from bench.judge.states import CLAIMS
from bench.judge.view import Sight, Unseen
from bench.trace.trace import Trace
from bench.verdict import Outcome, Verdict
from drivers.contract import Contract, ContractError, Expression, Join, Verb, inside

_OUTCOMES = {True: Outcome.PASS, False: Outcome.FAIL, None: Outcome.INCONCLUSIVE}


def judge(contract: Contract, trace: Trace) -> Verdict:
    """The verdict of one contract; raises ContractError for a place that is not bound."""
    if contract.unbound:
        raise ContractError(f"{contract.name}: bind a value for {', '.join(contract.unbound)} first")
    sight = Sight(trace)
    found = evaluate(contract.claim, sight)
    if found.value is True and not _seen(contract, sight):
        found = Finding(None, "saw none of its events")
    return Verdict(_OUTCOMES[found.value], str(contract), found.reason, found.witnesses)


def _seen(contract: Contract, sight: Sight) -> bool:
    """True when an event of some role was seen, or when the contract only says what must not happen."""
    verbs = list(inside(contract.claim, Verb))
    if all(verb.verb == "never" or (verb.verb == "count" and verb["exactly"] == 0) for verb in verbs):
        return True
    for role in contract.roles:
        try:
            if len(sight.events(role)):
                return True
        except Unseen:
            continue
    return False


def evaluate(claim: Expression, sight: Sight) -> Finding:
    """The finding of a claim, by Kleene's rules for compositions."""
    if isinstance(claim, Verb):
        try:
            return (VERBS.get(claim.verb) or CLAIMS[claim.verb])(claim, sight)
        except Unseen as unseen:
            return Finding(None, str(unseen))
    if not isinstance(claim, Join):
        raise ContractError(f"{claim!r} is no claim")
    parts = [evaluate(part, sight) for part in claim.parts]
    if claim.op == "not":
        return parts[0].negated
    if claim.op == "implies":
        parts[0] = parts[0].negated
    return _all(parts) if claim.op == "and" else _any(parts)


def _all(parts: list[Finding]) -> Finding:
    for value in (False, None):
        some = [part for part in parts if part.value is value]
        if some:
            return some[0] if len(some) == 1 else Finding.joined(value, some)
    return Finding.joined(True, parts)


def _any(parts: list[Finding]) -> Finding:
    for value in (True, None):
        some = [part for part in parts if part.value is value]
        if some:
            return some[0]
    return Finding.joined(False, parts)
