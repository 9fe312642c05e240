"""Two recordings of the same workload compared: event counts, and the latency between paired events.

A figure differs when it is beyond the threshold and chance does not explain it: counts by three standard deviations of
their difference (√(a + b), as for events that come independently), medians from 8 pairs on, p99 from 100 pairs on.
"""
from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.errors import Inconclusive
from bench.judge.intervals import latencies, percentile
from bench.trace.trace import Trace
from drivers.contract import Contract, ContractError, Limit, Tracepoint, Verb, inside, pair

SIGMAS = 3
LEAST_PAIRS = {50: 8, 99: 100}


def _between(open: str, close: str, *key: str) -> Verb:
    return pair(Tracepoint(open), Tracepoint(close), key)


# Intervals whose two ends are tracepoints, and the fields that distinguish concurrent ones.
# Ref: include/trace/events/{irq,timer,workqueue,sched,net,skb,spi,i2c,block,mmc}.h
KNOWN: dict[str, Verb] = {
    "interrupt handler": _between("irq:irq_handler_entry", "irq:irq_handler_exit", "cpu", "irq"),
    "softirq": _between("irq:softirq_entry", "irq:softirq_exit", "cpu", "vec"),
    "softirq raised until run": _between("irq:softirq_raise", "irq:softirq_entry", "cpu", "vec"),
    "hrtimer function": _between("timer:hrtimer_expire_entry", "timer:hrtimer_expire_exit", "hrtimer"),
    "timer function": _between("timer:timer_expire_entry", "timer:timer_expire_exit", "timer"),
    "work queued until run": _between("workqueue:workqueue_queue_work", "workqueue:workqueue_execute_start", "work"),
    "work": _between("workqueue:workqueue_execute_start", "workqueue:workqueue_execute_end", "work"),
    "wakeup until running": pair(Tracepoint("sched:sched_wakeup", {"task": "pid_"}),
                                 Tracepoint("sched:sched_switch", {"task": "next_pid"}), "task"),
    "system call": _between("raw_syscalls:sys_enter", "raw_syscalls:sys_exit", "pid"),
    "SPI message submitted until done": _between("spi:spi_message_submit", "spi:spi_message_done", "msg"),
    "SPI message": _between("spi:spi_message_start", "spi:spi_message_done", "msg"),
    "SPI transfer": _between("spi:spi_transfer_start", "spi:spi_transfer_stop", "xfer"),
    "I2C write": _between("i2c:i2c_write", "i2c:i2c_result", "adapter_nr"),
    "frame queued until with the driver": _between("net:net_dev_queue", "net:net_dev_start_xmit", "skbaddr"),
    "driver's transmit function": _between("net:net_dev_start_xmit", "net:net_dev_xmit", "skbaddr"),
    "frame sent until freed": _between("net:net_dev_xmit", "skb:consume_skb", "skbaddr"),
    "block request": _between("block:block_rq_issue", "block:block_rq_complete", "dev", "sector"),
    "MMC request": _between("mmc:mmc_request_start", "mmc:mmc_request_done", "mrq"),
}


@dataclass(frozen=True)
class Profile:
    """The compared figures of one recording, or of several together."""

    counts: Mapping[str, int] = field(default_factory=dict)
    armed: frozenset[str] = frozenset()
    lost: int = 0
    ns: int = 0  # how long recording was on
    took: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)

    @classmethod
    def of(cls, trace: Trace, pairs: Mapping[str, Verb]) -> Profile:
        """The profile of a recording: every event that was enabled, every pair with both ends recorded."""
        armed = frozenset(event for event in trace.formats if trace.armed(event)) | frozenset(trace.events)
        took = {}
        for name, claim in pairs.items():
            try:
                times = latencies(trace, claim)
            except Inconclusive:
                continue
            if times.size:
                took[name] = times
        lost = trace.lost or int(bool(trace.gaps))
        return cls(dict(trace.events), armed, lost, (trace.ended or 0) - (trace.began or 0), took)

    @classmethod
    def sum(cls, profiles: Iterable[Profile]) -> Profile:
        """Several profiles as one: counts added, latencies concatenated."""
        parts = list(profiles)
        counts: dict[str, int] = {}
        took: dict[str, list[NDArray[np.int64]]] = {}
        for part in parts:
            for event, count in part.counts.items():
                counts[event] = counts.get(event, 0) + count
            for name, times in part.took.items():
                took.setdefault(name, []).append(times)
        return cls(counts, frozenset().union(*(part.armed for part in parts)), sum(part.lost for part in parts),
                   sum(part.ns for part in parts), {name: np.concatenate(times) for name, times in took.items()})


@dataclass(frozen=True)
class Row:
    """One figure of both recordings; `word` is empty when they do not differ, None when inconclusive.

    `kind` is "events", "median" or "p99"; times in ns. A figure that a recording does not have is None.
    """

    kind: str
    name: str
    a: float | None
    b: float | None
    word: str | None
    note: str = ""
    rates: tuple[float, float] | None = None
    pairs: tuple[int, int] | None = None

    @property
    def ratio(self) -> float | None:
        """b to a; None when either is missing or a is 0."""
        return None if self.a is None or self.b is None or not self.a else self.b / self.a


def compare(a: Profile, b: Profile, threshold: float, by_rate: bool = False) -> list[Row]:
    """Every figure that at least one of the two has; `by_rate` compares events per second, for unequal lengths."""
    return [*_latencies(a, b, threshold), *_events(a, b, threshold, by_rate)]


def _events(a: Profile, b: Profile, threshold: float, by_rate: bool) -> Iterator[Row]:
    for event in sorted(a.counts.keys() | b.counts.keys()):
        count_a, count_b = a.counts.get(event, 0), b.counts.get(event, 0)
        if not (event in a.armed and event in b.armed):
            first = event in a.armed
            yield Row("events", event, count_a if first else None, None if first else count_b, "",
                      f"recorded only in the {'first' if first else 'second'}")
            continue
        rates = (count_a * 1e9 / a.ns, count_b * 1e9 / b.ns) if a.ns > 0 and b.ns > 0 else None
        expected = count_b * a.ns / b.ns if by_rate and rates else count_b  # scaled to the first's length
        noise = SIGMAS * math.sqrt(count_a + expected)
        if not _beyond(count_a, expected, threshold) or abs(expected - count_a) <= noise:
            yield Row("events", event, count_a, count_b, "", rates=rates)
        elif a.lost or b.lost:
            yield Row("events", event, count_a, count_b, None, "events were lost: the counts are not reliable", rates)
        else:
            word = "new" if not count_a else "gone" if not count_b else "more" if expected > count_a else "fewer"
            yield Row("events", event, count_a, count_b, word, rates=rates)


def _latencies(a: Profile, b: Profile, threshold: float) -> Iterator[Row]:
    for name in dict.fromkeys((*a.took, *b.took)):
        times_a, times_b = (profile.took.get(name, np.empty(0, np.int64)) for profile in (a, b))
        pairs = (times_a.size, times_b.size)
        if not min(pairs):
            first, second = (float(percentile(times, 50)) if times.size else None for times in (times_a, times_b))
            yield Row("median", name, first, second, "", f"only in the {'first' if times_a.size else 'second'}",
                      pairs=pairs)
            continue
        for percent, kind in ((50, "median"), (99, "p99")):
            before, after = float(percentile(times_a, percent)), float(percentile(times_b, percent))
            few = min(pairs) < LEAST_PAIRS[percent]
            if not _beyond(before, after, threshold):
                yield Row(kind, name, before, after, "", pairs=pairs)
            elif a.lost or b.lost:
                yield Row(kind, name, before, after, None, "events were lost: pairs may be wrong", pairs=pairs)
            elif not few:
                yield Row(kind, name, before, after, "slower" if after > before else "faster", pairs=pairs)
            elif percent == 50:
                yield Row(kind, name, before, after, None, f"fewer than {LEAST_PAIRS[percent]} pairs", pairs=pairs)
            # the p99 of few pairs is their maximum: chance


def _beyond(a: float, b: float, threshold: float) -> bool:
    return a != b and max(a, b) > threshold * min(a, b)


def pairs_in(contracts: Sequence[Contract]) -> dict[str, Verb]:
    """The pairs and latencies in contracts, by their roles; ContractError for a role that is not bound."""
    pairs = {}
    for contract in contracts:
        for verb in inside(contract.claim, Verb):
            if verb.verb not in ("pair", "latency"):
                continue
            unbound = dict.fromkeys(place.name for place in inside(verb.roles, Limit))
            if unbound:
                raise ContractError(f"{contract.name}: no value is given for {', '.join(unbound)}")
            pairs[f"{verb.roles[0]} → {verb.roles[1]}"] = verb
    return pairs
