"""What was not recorded is never held against a driver: a verdict of fail stands whatever happened unseen.

A whole history is judged; then a part of it, as if recording had begun later, ended sooner, or lost a stretch. Where
the part fails, the whole must not pass.
"""
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.trace import Trace
from drivers.contract import absent_between, conserve, jitter, latency, order, pair, until
from tests.judge.test_verbs import BEGAN, CLOSE, ENDED, KEYS, MARK, OPEN, STATES, TIME, judged, ns
from tests.trace.pages import Layout, Writer, payload, recording, simple

SETTINGS = settings(max_examples=150, deadline=None)
# Few keys, and mostly in turn: histories of which many contracts are true.
STEP = st.tuples(st.integers(0, 9), st.sampled_from(["open", "close", "open", "close", "mark"]), st.integers(0, 1))
HISTORY = st.lists(STEP, min_size=1, max_size=16)


def events_of(drawn, several):
    """Steps → events (ts, cpu, event, key, value); closes without an open are left out, and what is open at the end."""
    now, under_way, events = BEGAN, [0, 0], []
    for step, name, key in drawn:
        now += step
        if (name == "close" and not under_way[key]) or (name == "open" and under_way[key] and not several):
            continue
        under_way[key] += {"open": 1, "close": -1, "mark": 0}[name]
        events.append((now, 0, f"t:{name}", key, 1))
    for key, left in enumerate(under_way):
        for _ in range(left):
            now += 1
            events.append((now, 0, "t:close", key, 1))
    return events


def edged(claims):
    """(as it is asked of a part, as it is asked of the whole) of each claim."""
    return st.one_of(
        st.builds(lambda keys, several, within: tuple(
            pair(OPEN, CLOSE, keys or None, several=several, within=ns(within), edges=edges)
            for edges in ("open", "closed")), KEYS, st.booleans(), st.none() | TIME),
        st.builds(lambda keys, amount: tuple(
            conserve(OPEN, CLOSE, keys or None, amount=amount, edges=edges) for edges in ("open", "closed")),
            KEYS, st.sampled_from([None, "value"])),
        st.sampled_from([(claim, claim) for claim in claims]))


BOTH_ENDS = [
    latency(OPEN, CLOSE, "key", max="20 ns"), latency(OPEN, CLOSE, "key", deadline="30 ns"),
    latency(OPEN, CLOSE, deadline="30 ns"), latency(OPEN, CLOSE, "key", min="2 ns"), order(OPEN, CLOSE, key="key"),
    order(OPEN, MARK, CLOSE, key="key"), jitter(MARK, period="10 ns", at_most="9 ns"),
    absent_between(MARK, OPEN, CLOSE, "key"), until(MARK, CLOSE, since=OPEN, key="key")]


@SETTINGS
@given(HISTORY, st.booleans(), edged(BOTH_ENDS), st.integers(0, 100))
def test_what_came_before_the_recording_began(drawn, several, claims, began):
    events = events_of(drawn, several)
    part = simple(*(event for event in events if event[0] >= began), cpus=1, began_ns=began, ended_ns=200)
    if judged(part, claims[0]) is False:
        assert judged(simple(*events, cpus=1, began_ns=BEGAN, ended_ns=200), claims[1]) is not True


@SETTINGS
@given(HISTORY, st.booleans(), edged(BOTH_ENDS).filter(lambda both: both[0].verb != "conserve"), st.integers(0, 100))
def test_what_came_after_the_recording_ended(drawn, several, claims, ended):
    events = events_of(drawn, several)
    part = simple(*(event for event in events if event[0] <= ended), cpus=1, began_ns=BEGAN, ended_ns=ended)
    if judged(part, claims[0]) is False:
        assert judged(simple(*events, cpus=1, began_ns=BEGAN, ended_ns=200), claims[1]) is not True


@SETTINGS
@given(HISTORY, st.booleans(), edged([*BOTH_ENDS, *STATES]), st.integers(0, 16), st.integers(1, 6))
def test_a_stretch_that_was_lost(drawn, several, claims, first, count):
    events = events_of(drawn, several)
    lost = len(events[first:first + count])
    writer = Writer()
    for number, (ts, _, name, key, value) in enumerate(events):
        if number == first + count or (number < first or number > first + count):
            if number == first + count:
                writer.begin(ts, missed=lost)
            writer.event(ts, payload(Layout(), name, 100, key=key, value=value))
    if lost and first + count >= len(events):
        writer.begin(ENDED + 80, missed=lost)
    part = Trace(recording([writer], began_ns=BEGAN, ended_ns=200))
    assert part.lost == lost
    whole = simple(*events, cpus=1, began_ns=BEGAN, ended_ns=200)
    for claim in claims:
        found = judged(part, claim)
        assert not (lost and found is True)
        if found is False:
            assert judged(whole, claim) is not True
