"""Contracts as they are written: sentences, what they need armed, mistakes found where they are made."""
import json

import pytest

from drivers.contract import (
    ContractError,
    Kprobe,
    Kretprobe,
    Tracepoint,
    above,
    absent_between,
    all_equal,
    any_bits,
    as_role,
    conserve,
    contract,
    count,
    every,
    jitter,
    latency,
    limit,
    nanoseconds,
    never,
    one_of,
    order,
    pair,
    payload_equals,
    per_second,
    rate,
    ratio,
    role,
    seen,
    sources,
    until,
)

GIVEN = role("frame given", Kprobe("dm9000_start_xmit", module="dm9000", fields={"skb": "%r0"}),
             Tracepoint("net:net_dev_start_xmit", {"skb": "skbaddr"}))
FREED = role("frame freed", Tracepoint("skb:consume_skb", {"skb": "skbaddr"}),
             Kprobe("kfree_skb", fields={"skb": "%r0"}), Kretprobe("napi_free", fields={"skb": "$retval"}))
QUEUED = role("frame given", Tracepoint("net:net_dev_start_xmit", {"skb": "skbaddr"}))


@pytest.mark.parametrize("claim, sentence", [
    (pair(GIVEN, FREED, "skb", within="10 ms"),
     "each frame given is followed by one frame freed within 10 ms, for each skb"),
    (pair(Tracepoint("a:b"), Kretprobe("f")), "each b is followed by one f_return"),
    (latency(GIVEN, FREED, ("skb", "cpu"), median="1 ms", p99="2 ms", deadline="5 ms"),
     "the time from frame given to frame freed is median at most 1 ms, p99 at most 2 ms, always at most 5 ms, "
     "for each skb and cpu"),
    (order(GIVEN, FREED), "frame given comes before frame freed"),
    (count(GIVEN, exactly=20), "frame given is seen exactly 20 times"),
    (seen(GIVEN), "frame given is seen"),
    (ratio(GIVEN, FREED, at_least=1, at_most=2), "for each frame freed there are at least 1, at most 2 frame given"),
    (rate(GIVEN, at_least="8 kHz"), "the rate of frame given is at least 8 kHz"),
    (jitter(GIVEN, at_most="1 ms", period="8 ms"), "frame given comes every 8 ms, give or take 1 ms"),
    (never(QUEUED.where(name="eth0", len=above(60))), "frame given (name is eth0, len is above 60) never happens"),
    (absent_between(GIVEN, FREED, FREED), "frame given never happens between frame freed and frame freed"),
    (until(GIVEN, FREED), "frame given does not happen until frame freed"),
    (until(GIVEN, FREED, since=FREED), "after frame freed, frame given does not happen until frame freed"),
    (conserve(QUEUED, QUEUED, amount="len"), "all that frame given takes frame given gives back, counted in len"),
    (payload_equals(QUEUED, limit("sent"), "buf"), "buf of frame given is what was expected"),
    (payload_equals(QUEUED, QUEUED, "buf"), "buf of frame given equals that of frame given"),
    (every(QUEUED, rc=one_of(0, 1), flags=any_bits(6)),
     "every frame given: rc is one of 0, 1, flags has one of the bits 0x6"),
    (all_equal(QUEUED, "frame", "actual"), "frame and actual of every frame given are equal"),
    (seen(GIVEN) & never(FREED) & seen(FREED),
     "frame given is seen, and frame freed never happens, and frame freed is seen"),
    ((seen(GIVEN) | never(FREED)) & ~seen(FREED),
     "(frame given is seen, or frame freed never happens), and (not so: frame freed is seen)"),
    (seen(GIVEN).implies(never(FREED)), "if frame given is seen, then frame freed never happens"),
    (count(GIVEN, at_most=limit("frames")), "frame given is seen at most <frames> times"),
])
def test_every_claim_reads_as_a_sentence(claim, sentence):
    assert str(claim) == sentence


def test_sources_are_json_and_name_each_alternative():
    needed = contract("x", pair(GIVEN, FREED, "skb"))
    assert json.loads(json.dumps(needed.sources)) == [
        {"kind": "kprobe", "name": "frame_given", "symbol": "dm9000_start_xmit", "module": "dm9000", "return": False,
         "args": {"skb": "%r0"}},
        {"kind": "tracepoint", "system": "net", "name": "net_dev_start_xmit"},
        {"kind": "tracepoint", "system": "skb", "name": "consume_skb"},
        {"kind": "kprobe", "name": "frame_freed", "symbol": "kfree_skb", "module": None, "return": False,
         "args": {"skb": "%r0"}},
        {"kind": "kprobe", "name": "frame_freed_2", "symbol": "napi_free", "module": None, "return": True,
         "args": {"skb": "$retval"}}]
    assert needed.events == ["bench:frame_given", "net:net_dev_start_xmit", "skb:consume_skb", "bench:frame_freed",
                             "bench:frame_freed_2"]


def test_the_union_of_sources_has_each_once():
    one = contract("one", seen(GIVEN.where(skb=above(0))))
    two = contract("two", never(GIVEN) & never(Tracepoint("a:b")))
    assert [source["name"] for source in sources(one, two)] == ["frame_given", "net_dev_start_xmit", "b"]


def test_two_probes_of_one_name_are_refused():
    one, two = contract("one", seen(role("x", Kprobe("f")))), contract("two", seen(role("x", Kprobe("g"))))
    with pytest.raises(ContractError, match="two: two different probes have the same name bench:x"):
        sources(one, two)


def test_a_decorated_function_is_a_contract_named_after_it():
    @contract
    def every_frame_is_freed():
        """Ref: drivers/net/ethernet/davicom/dm9000.c"""
        return pair(GIVEN, FREED)

    assert every_frame_is_freed.name == "every frame is freed"
    assert every_frame_is_freed.text == "Ref: drivers/net/ethernet/davicom/dm9000.c"
    assert str(every_frame_is_freed) == "every frame is freed: each frame given is followed by one frame freed"


def test_calling_a_contract_with_an_answer_gives_the_answers_verdict():
    class Judge:
        def judge(self, given):
            return f"judged {given.name}"

    assert contract("it", seen(GIVEN))(Judge()) == "judged it"


def test_binding_fills_limits_everywhere_and_leaves_the_contract_as_it_was():
    open_ended = contract("x", pair(QUEUED.where(name=limit("interface")), FREED, within=limit("soon")))
    assert open_ended.unbound == ["interface", "soon"]
    bound = open_ended.bind(interface="eth0", soon="5 ms")
    assert bound.unbound == [] and open_ended.unbound == ["interface", "soon"]
    assert str(bound) == "x: each frame given (name is eth0) is followed by one frame freed within 5 ms"


@pytest.mark.parametrize("make, words", [
    (lambda: pair(GIVEN, FREED, within=5), "a duration is a text with a unit, such as '5 ms', not 5"),
    (lambda: pair(GIVEN, FREED, within="5 apples"), "a duration is a text with a unit, such as '5 ms', not '5 apples'"),
    (lambda: rate(GIVEN, at_least="fast"), "a rate is a text such as '100 /s' or '8 kHz', not 'fast'"),
    (lambda: pair(GIVEN, FREED, edges="ajar"), "edges is 'open' or 'closed', not 'ajar'"),
    (lambda: latency(GIVEN, FREED), "latency needs a limit"),
    (lambda: order(GIVEN), "order needs at least two roles"),
    (lambda: count(GIVEN), "count needs exactly, at_least or at_most"),
    (lambda: every(GIVEN), "every needs at least one field"),
    (lambda: all_equal(GIVEN, "len"), "all_equal needs at least two fields"),
    (lambda: role("x"), "role 'x' needs at least one Tracepoint, Kprobe or Kretprobe"),
    (lambda: role("9 lives", Kprobe("f")), "role '9 lives': '9_lives' cannot be an event's name"),
    (lambda: Tracepoint("net_dev_xmit"), "a tracepoint is named 'system:name', not 'net_dev_xmit'"),
    (lambda: never("net_dev_xmit"), "'net_dev_xmit' is no role"),
    (lambda: contract("x", GIVEN), "is no claim"),
    (lambda: contract("", seen(GIVEN)), "a contract is named by a sentence, not ''"),
    (lambda: seen(GIVEN) and seen(FREED), "compose contracts with &, | and ~"),
    (lambda: as_role(7), "7 is no role"),
    (lambda: pair(GIVEN, FREED, "sbk"), "frame given: the probe of dm9000_start_xmit fetches no field 'sbk'; it "
                                        "fetches: skb"),
    (lambda: GIVEN.where(len=60), "fetches no field 'len'"),
    (lambda: every(GIVEN, len=60), "fetches no field 'len'"),
    (lambda: all_equal(GIVEN, "skb", "len"), "fetches no field 'len'"),
    (lambda: conserve(GIVEN, FREED, amount="len"), "fetches no field 'len'"),
    (lambda: payload_equals(Kprobe("f"), b"", "data"), "f: the probe of f fetches no field 'data'; it fetches: none"),
])
def test_mistakes_are_found_where_they_are_written(make, words):
    with pytest.raises(ContractError) as error:
        make()
    assert words in str(error.value)


def test_units():
    assert [nanoseconds(text) for text in ("5 ms", "1.5us", "2 µs", "7 ns", "3 s")] == [
        5_000_000, 1500, 2000, 7, 3_000_000_000]
    assert [per_second(text) for text in ("100 /s", "8 kHz", "2.5 Hz", "1MHz")] == [100, 8000, 2.5, 1_000_000]
