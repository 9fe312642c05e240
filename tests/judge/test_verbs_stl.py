"""Each verb judges as a formula of signal temporal logic does, by rtamt: an evaluator that is none of ours.

A trace has at most one event a nanosecond, so each role is a signal: above 0 where its event is. The tick before the
first holds BEGIN, the one after the last END. A claim that the recording's edges can leave open has two formulas: it
passes where the strong one holds, fails where the weak one does not, and is inconclusive between them.

rtamt 0.4 is for Python before 3.13: the ANTLR 4.7 runtime that it pins imports typing.io, which 3.13 has no more. There
the loops of test_verbs.py are the only other judge.
"""
import functools
import importlib
import itertools
import sys
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.judge.judge import judge
from drivers.contract import (
    Tracepoint,
    absent_between,
    all_equal,
    as_role,
    at_least,
    conserve,
    contract,
    count,
    every,
    jitter,
    latency,
    never,
    order,
    pair,
    payload_equals,
    rate,
    ratio,
    seen,
    until,
)
from tests.judge.test_verbs import VALUE
from tests.trace.pages import simple

with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of typing.io
    rtamt = importlib.import_module("rtamt") if sys.version_info < (3, 13) else pytest.importorskip("rtamt")

OPEN, CLOSE, MARK = Tracepoint("t:open"), Tracepoint("t:close"), Tracepoint("t:mark")
TICK = st.none() | st.tuples(st.sampled_from(["open", "close", "mark"]), st.integers(0, 2), st.integers(0, 2))
TICKS = st.lists(TICK, min_size=1, max_size=24)
TIME = st.integers(1, 12)
SETTINGS = settings(max_examples=40, deadline=None)
OP, C, M, BEGIN, END = "(o > 0)", "(c > 0)", "(m > 0)", "(begin > 0)", "(end > 0)"
NOT_O, NOT_C, NOT_M, REST = "(o < 0)", "(c < 0)", "(m < 0)", "((o < 0) and (c < 0))"


def judged(ticks, claim):
    """What the verb says."""
    events = [(ts, 0, f"t:{one[0]}", *one[1:]) for ts, one in enumerate(ticks) if one]
    trace = simple(*events, cpus=1, began_ns=0, ended_ns=len(ticks) - 1)
    return VALUE[judge(contract("it holds", claim), trace).outcome]


def signals(ticks, key=None):
    """The signals of a trace, or of one key's events in it."""
    kept = [None, *(one if one and key in (None, one[1]) else None for one in ticks), None]
    made = {name[0]: [1.0 if one and one[0] == name else -1.0 for one in kept] for name in ("open", "close", "mark")}
    made["begin"] = [1.0, *[-1.0] * (len(kept) - 1)]
    made["end"] = made["begin"][::-1]
    for name in ("o", "c", "m"):
        made[f"n{name}"] = running(made[name])
    made["key"], made["value"] = ([float(one[place]) if one else 0.0 for one in kept] for place in (1, 2))
    return made


def running(signal):
    """How often a signal was above 0 so far."""
    return [float(count_) for count_ in itertools.accumulate(int(value > 0) for value in signal)]


def where(text, made):
    """At which ticks rtamt finds a formula satisfied, as a signal."""
    return [value for _, value in formula(text, tuple(made)).evaluate({"time": list(range(len(made["o"]))), **made})]


@functools.lru_cache(maxsize=500)
def formula(text, names):
    spec = rtamt.StlDiscreteTimeOfflineSpecification()
    for name in names:
        spec.declare_var(name, "float")
    spec.spec = text
    spec.parse()
    return spec


def holds(text, made):
    """Whether rtamt finds the formula satisfied at the first tick."""
    robustness = where(text, made)[0]
    assert robustness != 0, "neither satisfied nor violated: the formula's limits are badly chosen"
    return robustness > 0


def three(strong, weak, groups):
    """True, False or None of a pair of formulas over the signals of all keys; None without any event."""
    if all(holds(strong, made) for made in groups):
        return True
    return None if all(holds(weak, made) for made in groups) else False


def groups_of(ticks, keyed, *roles):
    """Signals for each key that has events of the roles; one group without a key."""
    keys = sorted({one[1] for one in ticks if one and one[0] in roles})
    return [signals(ticks, key) for key in keys] if keyed else [signals(ticks)] if keys else []


def opened(edge, limit):
    """Each open is closed, or the recording ends first when `edge` is END."""
    return f"(always({OP} implies next({NOT_O} until{limit} ({C} or {edge}))))" if edge else \
        f"(always({OP} implies next({NOT_O} until{limit} {C})))"


def closed(edge, limit):
    """Each close was opened, or the recording began after it when `edge` is BEGIN."""
    past = f" or ({REST} since{limit} {edge})" if edge else ""
    return f"(always({C} implies prev(({NOT_C} since {OP}){past})))"


@SETTINGS
@given(TICKS, st.booleans(), st.none() | TIME, st.sampled_from(["open", "closed"]))
def test_pair(ticks, keyed, within, edges):
    claim = pair(OPEN, CLOSE, "key" if keyed else None, within=within and f"{within} ns", several=False, edges=edges)
    limit = "" if within is None else f"[0:{within - 1}]"
    strong = opened("", limit) + " and " + closed("", limit)
    weak = strong if edges == "closed" else opened(END, limit) + " and " + closed(BEGIN, limit)
    groups = groups_of(ticks, keyed, "open", "close")
    assert judged(ticks, claim) is (three(strong, weak, groups) if groups else None)


@SETTINGS
@given(TICKS)
def test_pair_of_several_under_way(ticks):
    made = signals(ticks)
    assume_some = made["no"][-1] + made["nc"][-1] > 0
    strong = f"always(no - nc > -0.5) and eventually({END} and (no - nc < 0.5))"
    assert judged(ticks, pair(OPEN, CLOSE, edges="closed")) is (holds(strong, made) if assume_some else None)


PAIRED = f"(({REST}) since{{}} {OP})"  # as the close of the nearest open sees it, one tick before


@SETTINGS
@given(TICKS, st.integers(2, 6), TIME)
def test_latency_min_and_max(ticks, least, most):
    made = signals(ticks)
    some = holds(f"eventually({C} and prev({PAIRED.format('')}))", made)
    kept = (f"always({C} implies prev((not {PAIRED.format('')}) or {PAIRED.format(f'[0:{most - 1}]')})) and "
            f"always({C} implies prev(not {PAIRED.format(f'[0:{least - 2}]')}))")
    claim = latency(OPEN, CLOSE, several=False, min=f"{least} ns", max=f"{most} ns")
    assert judged(ticks, claim) is (holds(kept, made) if some else None)


@SETTINGS
@given(TICKS, TIME)
def test_latency_deadline(ticks, deadline):
    made, limit = signals(ticks), f"[0:{deadline - 1}]"
    some = holds(f"eventually({C} and prev({PAIRED.format('')}))", made)
    found = three(opened("", limit), opened(END, limit), [made])
    expected = False if found is False else found if some else None
    assert judged(ticks, latency(OPEN, CLOSE, several=False, deadline=f"{deadline} ns")) is expected


@SETTINGS
@given(TICKS, TIME, st.sampled_from([("median", 50), ("p99", 99)]))
def test_latency_median_and_p99(ticks, most, which):
    made = signals(ticks)
    counted = {name: running(where(f"{C} and prev({PAIRED.format(limit)})", made))
               for name, limit in (("quick", f"[0:{most - 1}]"), ("pairs", ""))}
    made.update(counted)
    name, percent = which
    kept = f"eventually({END} and (100 * quick - {percent} * pairs > -0.5))"
    claim = latency(OPEN, CLOSE, several=False, **{name: f"{most} ns"})
    assert judged(ticks, claim) is (holds(kept, made) if made["pairs"][-1] else None)


@SETTINGS
@given(TICKS)
def test_order(ticks):
    none = f"({REST} and {NOT_M})"
    after = f"(always({{}} implies prev(({none} since {{}}){{}})))".format
    first = f" or (historically {none})"
    strong = " and ".join([after(OP, C, first), after(M, OP, ""), after(C, M, "")])
    weak = " and ".join([after(OP, C, first), after(M, OP, first), after(C, M, first)])
    expected = three(strong, weak, [signals(ticks)]) if any(ticks) else None
    assert judged(ticks, order(OPEN, MARK, CLOSE)) is expected


@SETTINGS
@given(TICKS, st.integers(0, 4), st.integers(1, 6))
def test_count_and_seen(ticks, low, high):
    made = signals(ticks)
    kept = f"always(nm < {high} + 0.5) and eventually(nm > {low} - 0.5)"
    expected = holds(kept, made) if made["nm"][-1] or low else None
    assert judged(ticks, count(MARK, at_least=low, at_most=high)) is expected
    assert judged(ticks, seen(MARK)) is holds(f"eventually {M}", made)


@SETTINGS
@given(TICKS, st.integers(1, 3))
def test_ratio(ticks, times):
    made = signals(ticks)
    kept = f"eventually({END} and (nm - {times} * no > -0.5))"
    some = made["no"][-1] > 0
    assert judged(ticks, ratio(MARK, OPEN, at_least=times)) is (holds(kept, made) if some else None)


@SETTINGS
@given(TICKS, st.integers(50, 900))
def test_rate(ticks, mhz):
    made = signals(ticks)
    # A tick after the first mark that is not after the last one counts as time passed.
    made["passed"] = running(where(f"(once {M}) and ({NOT_M} or prev(once {M})) and (eventually {M})", made))
    kept = f"eventually({END} and (1000 * (nm - 1) - {mhz} * passed > -0.5))"
    some = made["nm"][-1] > 1
    assert judged(ticks, rate(MARK, at_least=f"{mhz} MHz")) is (holds(kept, made) if some else None)


@SETTINGS
@given(TICKS, TIME, st.integers(0, 4))
def test_jitter(ticks, period, most):
    made = signals(ticks)
    between = f"[{max(period - most - 1, 0)}:{period + most - 1}]"
    kept = f"always({M} implies prev(({NOT_M} since{between} {M}) or historically {NOT_M}))"
    claim = jitter(MARK, at_most=f"{most} ns", period=f"{period} ns")
    assert judged(ticks, claim) is (holds(kept, made) if made["nm"][-1] > 1 else None)


@SETTINGS
@given(TICKS)
def test_never_every_and_all_equal(ticks):
    made = signals(ticks)
    some = made["nm"][-1] > 0
    assert judged(ticks, never(MARK)) is holds(f"always {NOT_M}", made)
    assert judged(ticks, never(as_role(MARK).where(value=2))) is holds(f"always({NOT_M} or (value < 1.5))", made)
    assert judged(ticks, every(MARK, value=at_least(1))) is (
        holds(f"always({M} implies (value > 0.5))", made) if some else None)
    assert judged(ticks, all_equal(MARK, "key", "value")) is (
        holds(f"always({M} implies (abs(key - value) < 0.5))", made) if some else None)


@SETTINGS
@given(TICKS, st.booleans())
def test_absent_between(ticks, keyed):
    weak = f"always({M} implies not({NOT_C} since {OP}))"
    strong = f"{weak} and always({M} implies not((historically {REST}) and ({NOT_O} until {C})))"
    opens = any(one and one[0] == "open" for one in ticks)
    groups = groups_of(ticks, keyed, "open", "close", "mark")
    expected = three(strong, weak, groups) if opens else None
    assert judged(ticks, absent_between(MARK, OPEN, CLOSE, "key" if keyed else None)) is expected


@SETTINGS
@given(TICKS, st.booleans())
def test_until(ticks, keyed):
    weak = f"always({M} implies not({NOT_C} since {OP}))"
    strong = f"{weak} and always({OP} implies eventually {C})"
    opens = any(one and one[0] == "open" for one in ticks)
    groups = groups_of(ticks, keyed, "open", "close", "mark")
    expected = three(strong, weak, groups) if opens else None
    assert judged(ticks, until(MARK, CLOSE, since=OPEN, key="key" if keyed else None)) is expected


@SETTINGS
@given(TICKS)
def test_until_from_the_begin(ticks):
    made = signals(ticks)
    expected = three(f"{NOT_M} until {C}", f"{NOT_M} until ({C} or {END})", [made])
    some = made["nm"][-1] + made["nc"][-1] > 0
    assert judged(ticks, until(MARK, CLOSE)) is (expected if some else None)


@SETTINGS
@given(TICKS)
def test_conserve(ticks):
    groups = groups_of(ticks, True, "open", "close")
    kept = f"always(no - nc > -0.5) and eventually({END} and (no - nc < 0.5))"
    bracketed = conserve(OPEN, CLOSE, "key", edges="closed")
    assert judged(ticks, bracketed) is (three(kept, kept, groups) if groups else None)
    for made in groups:  # what is given before anything was taken may have been taken before the recording
        early = [given for given, taken in zip(made["nc"], made["no"], strict=True) if not taken]
        made["held"] = [taken - max(given - early[-1], 0.0)
                        for taken, given in zip(made["no"], made["nc"], strict=True)]
    weak = f"eventually({END} and (held < 0.5))"
    strong = f"{weak} and always(held > -0.5) and always({C} implies once {OP})"
    assert judged(ticks, conserve(OPEN, CLOSE, "key")) is (three(strong, weak, groups) if groups else None)


@SETTINGS
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=8))
def test_payload_equals(values):
    """With opens and closes in turn, each close has the value of the open before it."""
    ticks = [(role, 0, value) for both in values for role, value in zip(("open", "close"), both, strict=True)]
    same = [f"(abs(value - {value}) < 0.5)" for value in (0, 1)]
    kept = " and ".join(f"always(({C} and {one}) implies prev({NOT_O} since ({OP} and {one})))" for one in same)
    assert judged(ticks, payload_equals(OPEN, CLOSE, "value")) is holds(kept, signals(ticks))


@SETTINGS
@given(TICKS, st.sampled_from(["and", "or", "implies"]), st.booleans())
def test_compositions(ticks, word, negated):
    made = signals(ticks)
    if not any(ticks):
        return  # nothing was seen: inconclusive, whatever logic says
    one, other = seen(OPEN), ~never(MARK) if negated else never(MARK)
    claim = {"and": one & other, "or": one | other, "implies": one.implies(other)}[word]
    second = f"(not (always {NOT_M}))" if negated else f"(always {NOT_M})"
    some = any(one and one[0] in ("open", "mark") for one in ticks)
    expected = holds(f"(eventually {OP}) {word} {second}", made)
    assert judged(ticks, claim) is (expected if some or not expected else None)


def test_the_evaluator_can_disagree():
    """What these tests rest on: rtamt finds a late close late, and one that is in time, in time."""
    ticks = [("open", 0, 0), None, None, ("close", 0, 0)]
    assert not holds(opened("", "[0:1]"), signals(ticks))
    assert holds(opened("", "[0:2]"), signals(ticks))
    with pytest.raises(AssertionError, match="neither satisfied nor violated"):
        holds("always(no - no >= 0)", signals(ticks))
