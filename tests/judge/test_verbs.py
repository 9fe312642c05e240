"""Each verb of a contract judges as a plain loop over the events does, and never passes without proof."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import Inconclusive
from bench.judge.judge import judge
from bench.trace import Trace
from bench.verdict import Outcome
from drivers.contract import (
    ContractError,
    Tracepoint,
    above,
    absent_between,
    all_equal,
    any_bits,
    as_role,
    at_least,
    at_most,
    below,
    conserve,
    contract,
    count,
    every,
    jitter,
    latency,
    limit,
    never,
    one_of,
    order,
    other_than,
    pair,
    payload_equals,
    rate,
    ratio,
    role,
    seen,
    until,
)
from tests.judge import oracle
from tests.trace.pages import Layout, Writer, payload, recording, simple

OPEN, CLOSE, MARK = Tracepoint("t:open"), Tracepoint("t:close"), Tracepoint("t:mark")
BEGAN, ENDED = 0, 120
VALUE = {Outcome.PASS: True, Outcome.FAIL: False, Outcome.INCONCLUSIVE: None}

EVENT = st.tuples(st.integers(BEGAN, ENDED), st.integers(0, 1), st.sampled_from(["open", "close", "mark"]),
                  st.integers(0, 2), st.integers(-1, 2))
HISTORY = st.lists(EVENT, max_size=25)
KEYS = st.sampled_from([(), ("key",), ("key", "cpu"), ("pid",)])
TIME = st.integers(0, 60)


def history(drawn):
    """Events in the order of the recording: by time, then CPU, then as written; and the trace of them."""
    events = sorted(drawn, key=lambda one: one[:2])
    trace = simple(*((ts, cpu, f"t:{name}", key, value) for ts, cpu, name, key, value in events),
                   began_ns=BEGAN, ended_ns=ENDED)
    return [{"ts": ts, "cpu": cpu, "pid": 100 + cpu, "role": name, "key": key, "value": value}
            for ts, cpu, name, key, value in events], trace


def judged(trace, claim):
    return VALUE[judge(contract("it holds", claim), trace).outcome]


def ns(value):
    return None if value is None else f"{value} ns"


@settings(max_examples=133, deadline=None)
@given(HISTORY, KEYS, st.booleans(), st.none() | TIME, st.sampled_from(["open", "closed"]))
def test_pair_judges_as_a_loop(drawn, keys, several, within, edges):
    events, trace = history(drawn)
    assert judged(trace, pair(OPEN, CLOSE, keys or None, within=ns(within), several=several, edges=edges)) is \
        oracle.pair(events, BEGAN, ENDED, keys, several, within, edges)


@settings(max_examples=100, deadline=None)
@given(HISTORY, KEYS, st.booleans(), st.dictionaries(
    st.sampled_from(["min", "median", "p99", "max", "deadline"]), TIME, min_size=1))
def test_latency_judges_as_a_loop(drawn, keys, several, limits):
    events, trace = history(drawn)
    claim = latency(OPEN, CLOSE, keys or None, several=several, **{name: ns(value) for name, value in limits.items()})
    assert judged(trace, claim) is oracle.latency(events, BEGAN, ENDED, keys, several, limits)


@settings(max_examples=66, deadline=None)
@given(HISTORY, KEYS, st.permutations(["open", "close", "mark"]), st.integers(2, 3))
def test_order_judges_as_a_loop(drawn, keys, names, number):
    events, trace = history(drawn)
    roles = names[:number]
    claim = order(*(Tracepoint(f"t:{name}") for name in roles), key=keys or None)
    assert judged(trace, claim) is oracle.order(events, roles, keys)


@settings(max_examples=66, deadline=None)
@given(HISTORY, KEYS, st.none() | st.integers(0, 6), st.none() | st.integers(0, 6))
def test_count_judges_as_a_loop(drawn, keys, low, high):
    if low is None and high is None:
        high = 3
    events, trace = history(drawn)
    claim = count(MARK, at_least=low, at_most=high, key=keys or None)
    assert judged(trace, claim) is oracle.count(events, keys, low, high)


@settings(max_examples=100, deadline=None)
@given(HISTORY, KEYS)
def test_absent_between_judges_as_a_loop(drawn, keys):
    events, trace = history(drawn)
    assert judged(trace, absent_between(MARK, OPEN, CLOSE, keys or None)) is oracle.absent_between(events, keys)


@settings(max_examples=100, deadline=None)
@given(HISTORY, KEYS)
def test_until_judges_as_a_loop(drawn, keys):
    events, trace = history(drawn)
    assert judged(trace, until(MARK, CLOSE, since=OPEN, key=keys or None)) is oracle.until(events, keys)
    assert judged(trace, until(MARK, CLOSE, key=keys or None)) is oracle.until_first(events, keys)


@settings(max_examples=100, deadline=None)
@given(HISTORY, KEYS, st.sampled_from([None, "value"]), st.sampled_from(["open", "closed"]))
def test_conserve_judges_as_a_loop(drawn, keys, amount, edges):
    events, trace = history(drawn)
    assert judged(trace, conserve(OPEN, CLOSE, keys or None, amount=amount, edges=edges)) is \
        oracle.conserve(events, keys, amount, edges)


@settings(max_examples=66, deadline=None)
@given(HISTORY, KEYS, st.none() | TIME, TIME)
def test_jitter_judges_as_a_loop(drawn, keys, period, most):
    events, trace = history(drawn)
    claim = jitter(MARK, at_most=ns(most), period=ns(period), key=keys or None)
    assert judged(trace, claim) is oracle.jitter(events, keys, period, most)


@settings(max_examples=66, deadline=None)
@given(HISTORY, KEYS)
def test_payload_equals_judges_as_a_loop(drawn, keys):
    events, trace = history(drawn)
    assert judged(trace, payload_equals(OPEN, CLOSE, "value", keys or None)) is oracle.payload(events, keys)


@settings(max_examples=66, deadline=None)
@given(HISTORY, st.none() | st.integers(0, 3), st.integers(0, 4))
def test_ratio_judges_as_a_loop(drawn, low, high):
    events, trace = history(drawn)
    assert judged(trace, ratio(MARK, OPEN, at_least=low, at_most=high)) is oracle.ratio(events, low, high)


@settings(max_examples=66, deadline=None)
@given(HISTORY, st.none() | st.integers(1, 300), st.integers(1, 600))
def test_rate_judges_as_a_loop(drawn, low, high):
    events, trace = history(drawn)
    claim = rate(MARK, at_least=low and f"{low} MHz", at_most=f"{high} MHz")
    assert judged(trace, claim) is oracle.rate(events, low, high)


@settings(max_examples=66, deadline=None)
@given(HISTORY, st.lists(st.integers(-1, 2), max_size=3))
def test_seen_all_equal_and_a_list_of_payloads_judge_as_a_loop(drawn, values):
    events, trace = history(drawn)
    assert judged(trace, seen(MARK)) is any(event["role"] == "mark" for event in events)
    assert judged(trace, all_equal(MARK, "key", "value")) is oracle.all_equal(events)
    expected = [value.to_bytes(4, "little", signed=True) for value in values]
    assert judged(trace, payload_equals(MARK, expected, "value")) is oracle.expected(events, values)


PARTS = [seen(OPEN), never(MARK), every(CLOSE, value=at_least(0)), pair(OPEN, CLOSE, "key"), count(MARK, at_most=2)]


@settings(max_examples=133, deadline=None)
@given(HISTORY, st.lists(st.sampled_from(PARTS), min_size=2, max_size=2), st.sampled_from(["and", "or", "implies"]),
       st.booleans(), st.booleans())
def test_compositions_judge_as_their_parts_by_kleene(drawn, parts, op, negated, outer):
    events, trace = history(drawn)
    values = [judged(trace, part) for part in parts]
    one, other = (~parts[0], parts[1]) if negated else parts
    values[0] = oracle.composed("not", values[:1]) if negated else values[0]
    claim = {"and": lambda: one & other, "or": lambda: one | other, "implies": lambda: one.implies(other)}[op]()
    expected = oracle.composed(op, values)
    if outer:
        claim, expected = ~claim, oracle.composed("not", [expected])
    found = judged(trace, claim)
    roles = {role.event for part in parts for role in contract("x", part).roles}
    nothing_seen = not any(event["role"] in roles for event in events)
    assert found is expected or (expected is True and nothing_seen and found is None)


CONDITIONS = [
    (above(0), lambda v: v > 0), (below(1), lambda v: v < 1), (at_least(1), lambda v: v >= 1), (1, lambda v: v == 1),
    (at_most(1), lambda v: v <= 1), (other_than(2), lambda v: v != 2), (one_of(0, 2), lambda v: v in (0, 2)),
    (any_bits(3), lambda v: v & 3 != 0)]


@settings(max_examples=66, deadline=None)
@given(HISTORY, st.sampled_from(CONDITIONS))
def test_never_and_every_judge_as_a_loop(drawn, condition):
    events, trace = history(drawn)
    values = [event["value"] for event in events if event["role"] == "mark"]
    chosen, holds = condition
    assert judged(trace, never(as_role(MARK).where(value=chosen))) is not any(holds(v) for v in values)
    assert judged(trace, every(MARK, value=chosen)) is (all(holds(v) for v in values) if values else None)


STATES = [
    pair(OPEN, CLOSE, "key"), pair(OPEN, CLOSE, within="30 ns"), latency(OPEN, CLOSE, "key", max="9 ns"),
    latency(OPEN, CLOSE, median="9 ns"), latency(OPEN, CLOSE, "key", p99="9 ns", min="3 ns"),
    latency(OPEN, CLOSE, "key", deadline="9 ns"), jitter(MARK, at_most="5 ns", period="9 ns"),
    order(OPEN, MARK, CLOSE, key="key"), count(MARK, at_most=2), count(MARK, exactly=3), seen(OPEN), never(MARK),
    ratio(OPEN, CLOSE, at_least=1), rate(MARK, at_most="80 MHz"), jitter(MARK, at_most="5 ns"), every(MARK, value=1),
    absent_between(MARK, OPEN, CLOSE), until(MARK, CLOSE, since=OPEN, key="key"), conserve(OPEN, CLOSE, "key"),
    payload_equals(OPEN, CLOSE, "value", "key"), all_equal(MARK, "key", "value")]


@settings(max_examples=100, deadline=None)
@given(HISTORY, st.sampled_from(STATES), st.data())
def test_with_lost_events_a_claim_never_passes_and_fails_only_if_no_lost_event_can_explain_it(drawn, claim, data):
    events, whole = history(drawn)
    lost = {number for number in range(len(events)) if data.draw(st.booleans())} if events else set()
    writers, missed = [Writer(), Writer()], [0, 0]
    for number, event in enumerate(events):
        if number in lost:
            missed[event["cpu"]] += 1
            continue
        writer = writers[event["cpu"]]
        if missed[event["cpu"]]:
            writer.begin(event["ts"], missed=missed[event["cpu"]])
            missed[event["cpu"]] = 0
        writer.event(event["ts"], payload(Layout(), f"t:{event['role']}", event["pid"], key=event["key"],
                                          value=event["value"]))
    for cpu, count_ in enumerate(missed):
        if count_:
            writers[cpu].begin(ENDED, missed=count_)
    trace = Trace(recording(writers, began_ns=BEGAN, ended_ns=ENDED))
    assert trace.lost == len(lost)
    found = judged(trace, claim)
    if lost:
        assert found is not True
    if found is False:
        assert judged(whole, claim) is not True


def test_lost_events_can_explain_an_uneven_interval_when_the_period_is_their_median():
    """Seen: 5, 5, 15, 5; with what was lost the median is 10, and no interval is further than 5 from it."""
    times = [0, 5, 10, 25, 30, *range(40, 121, 10)]
    whole = simple(*((ts, 0, "t:mark", 0, 0) for ts in times), cpus=1)
    rest = simple(*((ts, 0, "t:mark", 0, 0) for ts in times[:5]), cpus=1, ended_ns=120, stats_after=["overrun: 9\n"])
    writer = Writer()
    for ts in times[:5]:
        writer.event(ts, payload(Layout(), "t:mark", 100, key=0, value=0))
    writer.begin(120, missed=9)
    located = Trace(recording([writer], ended_ns=120))
    evenly, by_period = jitter(MARK, at_most="5 ns"), jitter(MARK, at_most="5 ns", period="5 ns")
    assert judged(whole, evenly) is True
    assert judged(rest, evenly) is judged(located, evenly) is None
    assert judged(located, by_period) is False  # the interval of 15 is seen, whatever was lost later


@pytest.mark.parametrize("claim, value", [
    (seen(OPEN), True), (seen(CLOSE), False), (every(MARK, key=1), None),
    (seen(OPEN) & seen(OPEN), True), (seen(OPEN) & seen(CLOSE), False), (seen(OPEN) & every(MARK, key=1), None),
    (seen(CLOSE) & every(MARK, key=1), False), (seen(CLOSE) | seen(OPEN), True), (seen(CLOSE) | seen(CLOSE), False),
    (seen(CLOSE) | every(MARK, key=1), None), (seen(OPEN) | every(MARK, key=1), True), (~seen(OPEN), False),
    (~seen(CLOSE) & seen(OPEN), True), (~every(MARK, key=1), None),
    (seen(CLOSE).implies(every(MARK, key=1)) & seen(OPEN), True),
    (seen(OPEN).implies(seen(CLOSE)), False), (seen(OPEN).implies(every(MARK, key=1)), None),
    (every(MARK, key=1).implies(seen(OPEN)), True)])
def test_compositions_follow_kleene(claim, value):
    trace = simple((5, 0, "t:open", 1, 1))
    assert judged(trace, claim) is value


def test_a_contract_that_saw_none_of_its_events_is_inconclusive_but_never_is_not():
    trace = simple((5, 0, "t:open", 1, 1))
    verdict = judge(contract("marks pair", pair(MARK, CLOSE)), trace)
    assert (verdict.outcome, verdict.reason) == (
        Outcome.INCONCLUSIVE, "saw none of its events (t:mark, t:close enabled, not seen)")
    assert judge(contract("if a mark, then a close", seen(MARK).implies(seen(CLOSE))), trace).outcome is \
        Outcome.INCONCLUSIVE
    assert judge(contract("no mark", never(MARK)), trace).outcome is Outcome.PASS
    assert judge(contract("no mark", count(MARK, exactly=0)), trace).outcome is Outcome.PASS


def test_never_does_not_pass_when_its_source_was_not_armed_or_is_missing():
    trace = simple((5, 0, "t:open", 1, 1), armed=("t:open",), missing={"t:gone": "no such event in this kernel"})
    unarmed, gone = judge(contract("a", never(MARK)), trace), judge(contract("b", never(Tracepoint("t:gone"))), trace)
    assert unarmed.outcome is gone.outcome is Outcome.INCONCLUSIVE
    assert gone.reason == "no source for gone: t:gone: no such event in this kernel"
    with pytest.raises(Inconclusive, match=r"gone never happens: no source for gone"):
        bool(gone)


def test_a_failure_shows_the_events_that_prove_it():
    trace = simple((10, 0, "t:open", 1, 5), (20, 1, "t:open", 2, 6), (25, 0, "t:close", 1, 5), (900, 0, "t:mark", 0, 0))
    verdict = judge(contract("all is closed", pair(OPEN, CLOSE, "key", within="100 ns")), trace)
    assert verdict.outcome is Outcome.FAIL and not verdict
    assert [(w.ts, w.cpu, w.pid, w.event, w.fields) for w in verdict.witnesses] == [
        (20, 1, 101, "t:open", {"key": 2, "value": 6})]
    assert str(verdict) == ("fail: all is closed: each open is followed by one close within 100 ns, for each key "
                            "(1 × open without close; 1 pair: min 15 ns, median 15 ns, p99 15 ns, max 15 ns)")


def test_lost_events_and_open_ends_are_named():
    trace = simple((10, 0, "t:open", 1, 5), (900, 0, "t:mark", 0, 0))
    assert judge(contract("closed", pair(OPEN, CLOSE)), trace).reason == \
        "1 × open still in progress when the recording ended; no pairs"
    lossy = simple((10, 0, "t:open", 1, 5), (12, 0, "t:close", 1, 5), stats_after=["overrun: 3\n"])
    assert judge(contract("closed", pair(OPEN, CLOSE)), lossy).reason == "3 events were lost on cpu 0"


def test_roles_take_the_first_source_of_this_kernel_and_map_its_fields():
    either = role("let go", Tracepoint("skb:consume_skb", {"skb": "skbaddr"}), Tracepoint("t:close", {"skb": "key"}))
    taken = role("taken", Tracepoint("t:open", {"skb": "key"}))
    trace = simple((1, 0, "t:open", 7, 0), (3, 0, "t:close", 7, 0), missing={"skb:consume_skb": "no such event"})
    assert judge(contract("x", pair(taken, either, key="skb")), trace).outcome is Outcome.PASS


def test_a_field_that_this_kernel_lacks_is_inconclusive():
    trace = simple((1, 0, "t:open", 7, 0))
    verdict = judge(contract("x", every(OPEN, colour=3)), trace)
    assert (verdict.outcome, verdict.reason) == (Outcome.INCONCLUSIVE, "t:open has no field 'colour' in this kernel")


def named_trace():
    writer = Writer()
    for number, name in enumerate(["eth0", "lo", "eth0", "eth1"]):
        writer.event(number, payload(Layout(), "t:named", 5, name=name, comm="a" if number else "swapper", port=80,
                                     mac=b"\1\2\3\4\5\6", rest=bytes([number])))
    return Trace(recording([writer]))


def test_texts_arrays_and_payloads_in_conditions():
    named = as_role(Tracepoint("t:named"))
    trace = named_trace()
    assert judged(trace, count(named.where(name="eth0"), exactly=2)) is True
    assert judged(trace, count(named.where(name=one_of("eth0", "eth1"), port=80), exactly=3)) is True
    assert judged(trace, count(named.where(comm=other_than("swapper")), exactly=3)) is True
    assert judged(trace, every(named, mac=b"\1\2\3\4\5\6")) is True
    assert judged(trace, payload_equals(named, [b"\0", b"\1", b"\2", b"\3"], "rest")) is True
    assert judged(trace, payload_equals(named.where(name="lo"), b"\2", "rest")) is False
    assert judged(trace, payload_equals(named, [b"\0"], "rest")) is False
    assert judged(trace, count(named, exactly=1, key="name")) is False
    with pytest.raises(ContractError, match="field 'name' of t:named holds text"):
        judged(trace, every(named, name=3))


def test_a_negative_number_is_found_in_an_unsigned_field_such_as_a_probes_return_value():
    trace = simple((1, 0, "t:open", 0xFFFFFFFB, 0))
    assert judged(trace, every(OPEN, key=-5)) is True
    assert judged(trace, every(OPEN, key=other_than(-5))) is False
    assert judged(trace, every(OPEN, key=one_of(0, -5))) is True


def test_limits_are_bound_when_a_check_asks():
    named = as_role(Tracepoint("t:named")).where(name=limit("interface"))
    some = contract("as many as sent", count(named, exactly=limit("frames"))
                    & payload_equals(named, limit("sent"), "rest"))
    with pytest.raises(ContractError, match="bind a value for interface, frames, sent first"):
        judge(some, named_trace())
    assert judge(some.bind(interface="eth0", frames=2, sent=[b"\0", b"\2"]), named_trace())
    assert not judge(some.bind(interface="lo").bind(frames=2, sent=[b"\1"]), named_trace())
    with pytest.raises(ContractError, match="has no limit 'colour'; it has: interface, frames, sent"):
        some.bind(colour=1)


def test_rates_and_ratios():
    trace = simple((0, 0, "t:open", 0, 0), *((n * 1_000_000, 0, "t:mark", 0, 0) for n in range(11)))
    assert judged(trace, rate(MARK, at_least="1 kHz", at_most="1000 /s")) is True
    assert judged(trace, rate(MARK, at_least="1.1 kHz")) is False
    assert judged(trace, rate(OPEN, at_least="1 /s")) is None
    assert judged(trace, ratio(MARK, OPEN, at_least=11, at_most=11)) is True
    assert judged(trace, ratio(OPEN, MARK, at_least=0.5)) is False
    assert judged(trace, ratio(OPEN, CLOSE, at_least=0.5)) is None
