"""The target's clock against the host's, by the frames that went to and fro."""
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.rig.call import Answer, Call
from bench.rig.clock import Clock


def exchange(clock, at, offset, there, back, work=1000):
    clock.exchanged(at, at + there + offset, at + there + work + offset, at + there + work + back)


def test_each_way_of_a_frame_gives_a_bound():
    clock = Clock(drift_ppm=0)
    exchange(clock, 1_000_000, 500_000, there=100, back=900)
    assert clock.at(1_002_000) == (499_600, 500)
    exchange(clock, 1_003_000, 500_000, there=900, back=100)
    assert clock.at(1_004_100) == (500_000, 100)


def test_what_was_measured_long_ago_is_worth_less():
    clock = Clock(drift_ppm=200)
    exchange(clock, 1_000_000, 0, there=100, back=100)
    assert clock.at(1_001_200) == (0, 100)
    assert clock.at(1_001_200 + 10_000_000_000) == (0, 2_000_100)


def test_a_clock_that_was_set_is_measured_anew():
    clock = Clock(drift_ppm=0)
    exchange(clock, 1_000_000, 0, there=100, back=100)
    exchange(clock, 2_000_000, 1_000_000_000, there=300, back=300)
    assert clock.at(2_001_600) == (1_000_000_000, 300)


@settings(deadline=None)
@given(st.integers(-10**15, 10**15), st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**7),
                                                        st.integers(0, 10**7)), min_size=1, max_size=20))
def test_the_true_offset_always_lies_within_the_error(offset, exchanges):
    clock, now = Clock(), 10**9
    for pause, there, back in exchanges:
        now += pause
        exchange(clock, now, offset, there, back)
        now += there + back + 1000
        found, error = clock.at(now)
        assert abs(found - offset) <= error


def test_an_answer_is_timed_anew_by_what_is_known_later():
    answer = Answer(Call("net", "ping"), started_ns=1_000, ended_ns=2_000, clock_offset_ns=500, clock_error_ns=90)
    better = answer.timed_by(450, 10)
    assert (better.started_ns, better.ended_ns) == (1_050, 2_050)
    assert (better.clock_offset_ns, better.clock_error_ns) == (450, 10)
