"""The recorder on the target, for real: every kind of source on the twin's kernel, judged on the host."""
import itertools
import os
import re
import threading
import time
from collections import Counter

import numpy as np
import pytest

from bench import Rig
from bench.cli.trace import record
from bench.errors import AgentDied, UsageError
from bench.judge.judge import judge
from bench.trace import Trace
from bench.trace.format import shown_name
from bench.trace.ftrace import histogram, stacks, steps
from bench.verdict import Outcome
from drivers.contract import (
    Fprobe,
    Function,
    GraphEntry,
    GraphExit,
    Histogram,
    Kprobe,
    Step,
    Tracepoint,
    above,
    contract,
    count,
    every,
    never,
    order,
    pair,
    seen,
)
from tests.trace import tracecmd


@pytest.fixture(scope="module")
def rig():
    with Rig("twin210") as rig:
        rig.net.set_up_link(address="192.0.2.2", partner=rig.cable.partner.ip)
        yield rig


def pinged(rig, *wanted):
    """One answered ping, recorded."""
    answer = rig.net.tracing(*wanted).ping(address=rig.cable.partner.ip, count=1)
    assert len(answer.value) == 1
    return answer.trace


def test_the_function_tracer_shows_which_functions_of_a_module_ran(rig):
    trace = pinged(rig, Function(":mod:dm9000"))
    entered = set(trace.symbols("ftrace:function", "ip"))
    assert {"dm9000_start_xmit", "dm9000_send_packet", "dm9000_interrupt"} <= entered
    assert not entered & {"dm9000_probe", "dm9000_drv_remove"}
    assert entered <= {line.split()[0] for line in trace.recording.functions}
    assert "dm9000_probe [dm9000]" in trace.recording.functions
    assert "dev_hard_start_xmit" in set(trace.symbols("ftrace:function", "parent_ip"))


def test_a_contract_names_functions(rig):
    xmit, send, probe = Function("dm9000_start_xmit"), Function("dm9000_send_*:mod:dm9000"), Function("dm9000_probe")
    ordered, unseen = contract("ordered", order(xmit, send)), contract("unseen", never(probe))
    trace = pinged(rig, ordered, unseen)
    assert (judge(ordered, trace).outcome, judge(unseen, trace).outcome) == (Outcome.PASS, Outcome.PASS)
    assert len(set(trace.symbols("ftrace:function", "ip"))) == 2


def test_a_function_that_cannot_be_traced_is_named_and_what_depends_on_it_is_undecided(rig):
    unseen = contract("unseen", never(Function("dm9000_no_such_function")))
    trace = pinged(rig, unseen, Tracepoint("net:net_dev_queue"))
    verdict = judge(unseen, trace)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "no function that can be traced is called dm9000_no_such_function" in verdict.reason
    assert "ftrace:function" not in trace.events


def test_the_functions_of_a_module_are_seen_from_its_load_to_its_removal(rig):
    recorded = rig.kernel.tracing(Function(":mod:dm9000"))
    for _ in range(2):  # it has moved the second time
        removal, load = recorded.unload_module(name="dm9000", timeout_s=5.0), recorded.load_module(name="dm9000")
        assert removal.value and load.value
        assert "dm9000_drv_remove" in set(removal.trace.symbols("ftrace:function", "ip"))
        assert "dm9000_probe" in set(load.trace.symbols("ftrace:function", "ip"))
    rig.net.set_up_link(address="192.0.2.2", partner=rig.cable.partner.ip)


def test_a_saved_recording_keeps_the_symbols_that_it_needs_and_no_others(rig, tmp_path):
    trace = pinged(rig, Function(":mod:dm9000"))
    trace.save(tmp_path / "functions.dat")
    again = Trace.load(tmp_path / "functions.dat")
    assert list(again.symbols("ftrace:function", "ip")) == list(trace.symbols("ftrace:function", "ip"))
    assert again.recording.kallsyms.count("\n") < 60
    assert seen_in(again, "dm9000_start_xmit")


def seen_in(trace, function):
    return judge(contract("seen", seen(Function(function))), trace).outcome is Outcome.PASS


def test_the_function_graph_tracer_pairs_entries_and_returns_and_has_their_durations(rig):
    entry, leave = GraphEntry("dm9000_start_xmit"), GraphExit("dm9000_start_xmit")
    paired, took = contract("paired", pair(entry, leave, key="pid")), contract("took", every(leave, duration=above(0)))
    trace = pinged(rig, paired, took)
    assert (judge(paired, trace).outcome, judge(took, trace).outcome) == (Outcome.PASS, Outcome.PASS)
    assert set(trace.symbols("ftrace:funcgraph_exit", "func")) == {"dm9000_start_xmit"}
    also = contract("also", seen(Function("dm9000_interrupt")))
    verdict = judge(also, pinged(rig, paired, also))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "an instance has one tracer" in verdict.reason


def test_stacks_say_who_led_to_an_event(rig):
    trace = pinged(rig, Tracepoint("net:net_dev_start_xmit", stack=True), Tracepoint("net:net_dev_queue"))
    [stack, *_] = stacks(trace, "net:net_dev_start_xmit")
    assert stack.index("dev_hard_start_xmit") < stack.index("__dev_queue_xmit")
    assert stacks(trace, "net:net_dev_queue")[0] == []


def test_a_histogram_counts_in_the_kernel_and_starts_anew_with_each_call(rig):
    per_call = Histogram("raw_syscalls:sys_enter", keys=("id",))
    for calls in (300, 500):
        trace = rig.agent.tracing(per_call).system_calls(count=calls).trace
        rows = {keys["id"]: values["hitcount"] for keys, values in histogram(trace, per_call)}
        assert rows["64"] == calls  # getppid


def test_what_this_kernel_lacks_is_named(rig):
    trace = pinged(rig, Fprobe("dm9000_start_xmit"), Histogram("net:no_such_event", keys=("len",)),
                   Tracepoint("net:no_such_event"), Kprobe("no_such_function"))
    assert trace.missing == {
        "bench:dm9000_start_xmit": "this kernel has no fprobe events (CONFIG_FPROBE_EVENTS)",
        "net:no_such_event hist:keys=len": "no such event in this kernel",
        "net:no_such_event": "no such event in this kernel",
        "bench:no_such_function": "no_such_function: Invalid probed address or symbol"}


def test_what_a_person_asks_for_and_is_not_there_is_told_with_the_nearest_name(rig):
    with pytest.raises(UsageError, match="no function that can be traced named 'dm9000_xmit'; did you mean 'dm9000_"):
        record._refuse_missing(rig, [Function("dm9000_xmit")])
    with pytest.raises(UsageError, match=r"no net call named 'pong'; did you mean 'ping'\?"):
        record._call(rig, ["net.pong"])
    with pytest.raises(UsageError, match=r"net\.capture listens while the host acts"):
        record._call(rig, ["net.capture"])


def test_steps_that_a_call_marks_are_in_its_trace_and_in_contracts(rig):
    enter = Tracepoint("raw_syscalls:sys_enter").name
    between = contract("in order", order(Step("one"), Step("t*"), key="pid") & count(Step(), exactly=2))
    answer = rig.agent.tracing(Tracepoint(enter), between).walk(steps=["one", "two"])
    assert [name for _, name in steps(answer.trace)] == ["one", "two"]
    assert between(answer)
    assert rig.agent.walk(steps=["unheard"]).value is None


# What is recorded here streams to the host while it runs; BENCH_EVENTS=1000000 makes it long.
EVENTS = int(os.environ.get("BENCH_EVENTS", "60000"))
MANY = (Tracepoint("raw_syscalls:sys_enter"), Tracepoint("raw_syscalls:sys_exit"), Tracepoint("irq:irq_handler_entry"),
        Tracepoint("irq:softirq_raise"), Tracepoint("sched:sched_switch"), Tracepoint("sched:sched_wakeup"), Step())


def columns(trace, event):
    """Integer and text fields of an event as the kernel declares them; arrays trace-cmd prints in ways of its own."""
    return [field for field in trace.format(event).fields[4:] if field.kind == "int" or field.text]


def seen_by_us(trace):
    """(time, cpu, pid, event, fields …) of every event: numbers as they lie in memory, texts as bytes."""
    for event in trace.events:
        records, found = trace[event], []
        for field in columns(trace, event):
            name = shown_name(field.name)
            found.append(trace.text(event, name).tolist() if field.text else
                         (records[name].astype(np.int64) % (1 << 8 * field.size)).tolist())
        head = [records[name].tolist() for name in ("ts", "cpu", "pid")]
        yield from zip(*head, itertools.repeat(event.split(":")[1]), *found, strict=False)


def seen_by_trace_cmd(trace, path):
    """The same, as `trace-cmd report` says."""
    wanted = {}
    for event in trace.events:
        fields = trace.format(event).fields[4:]
        pattern = re.compile(r"\s*" + " ".join(rf"{re.escape(f.name)}=(.*?)" for f in fields) + r"\s*$", re.S)
        chosen = [(number, f) for number, f in enumerate(fields, 1) if f in columns(trace, event)]
        wanted[event.split(":")[1]] = pattern, chosen
    for ts, cpu, pid, _, event, text in tracecmd.events(path):
        pattern, chosen = wanted[event]
        match = pattern.match(text)
        yield (ts, cpu, pid, event, *(value(match[number], field) for number, field in chosen))


def value(text, field):
    if field.text:
        return text.rstrip("\n").encode()
    text = text.replace("(nil)", "0")
    return int(text, 10 if text.lstrip("-").isdigit() else 16) % (1 << 8 * field.size)


@tracecmd.needed()
def test_a_long_recording_streams_and_is_what_trace_cmd_reports(rig, tmp_path):
    came = []
    rig.progress = came.append
    # 4 MiB per CPU hold what a host that is late by some seconds leaves there; pages move when a quarter is full.
    answer = rig.agent.tracing(*MANY, buffer_kb=4096).timeout(600.0).system_calls(count=EVENTS // 2)
    rig.progress = lambda size: None
    trace = answer.trace
    assert trace.lost == 0 and len(trace) >= EVENTS
    assert came and came[0] < came[-1] < sum(map(len, trace.recording.pages))
    trace.save(tmp_path / "long.dat")
    ours = Counter(seen_by_us(Trace.load(tmp_path / "long.dat")))
    ours.subtract(seen_by_trace_cmd(trace, tmp_path / "long.dat"))
    assert [one for one, surplus in ours.items() if surplus][:3] == []
    print(f"{len(trace)} events: {trace.events}")


def test_a_host_that_does_not_keep_up_costs_events_that_are_counted_and_not_the_calls_time(rig):
    recorded = rig.agent.tracing(*MANY[:2], buffer_kb=1024)
    came = []
    rig.progress = lambda size: came.append(size) or time.sleep(5.0 if len(came) == 1 else 0.0)  # busy elsewhere, once
    answer = recorded.system_calls(count=2 * EVENTS)
    rig.progress = lambda size: None
    slow = answer.trace
    assert slow.lost > 0 and slow.gaps
    assert len(slow) + slow.lost >= 4 * EVENTS
    assert np.sum(slow["sys_enter"]["id"] == 64) < 2 * EVENTS
    inconclusive = contract("all", count(MANY[0], at_least=EVENTS))
    assert judge(inconclusive, slow).outcome is Outcome.INCONCLUSIVE


def test_pages_come_while_the_host_acts(rig):
    recorded, came = rig.agent.tracing(*MANY[:2], buffer_kb=1024), threading.Event()
    rig.progress = lambda size: came.set()
    with recorded.listen_to_system_calls(count=EVENTS // 2) as answer:
        assert came.wait(60.0)  # though nobody has asked for the answer yet
    rig.progress = lambda size: None
    assert len(answer.trace) + answer.trace.lost >= EVENTS  # how many are lost is the machine's affair


def tracefs(rig):
    """What recorders have in the target's tracefs: instances, probes, enabled functions."""
    shell = rig.target.get_driver("ShellDriver")
    top = "/sys/kernel/tracing"
    return shell.run(f"ls {top}/instances; cat {top}/kprobe_events; cat {top}/enabled_functions")[0]


def test_a_dead_recorder_leaves_nothing_once_the_next_one_is_there(rig):
    recorded = rig.agent.tracing(Kprobe("dm9000_start_xmit"), Function(":mod:dm9000"), MANY[0])
    recorded.noop()
    [before] = [line for line in tracefs(rig) if line.startswith("bench-")]
    with pytest.raises(AgentDied):
        recorded.die()
    assert tracefs(rig) == []
    assert recorded.system_calls(count=100).trace.events["raw_syscalls:sys_enter"] >= 100
    assert before not in tracefs(rig)
    assert "p:bench/dm9000_start_xmit dm9000_start_xmit" in tracefs(rig)


def test_an_interrupted_call_gives_its_trace_and_the_agent_goes_on(rig):
    timer = threading.Timer(1.0, rig.interrupt)
    timer.start()
    answer = rig.agent.tracing(MANY[0]).interruptible().timeout(20.0).wait(seconds=15.0)
    assert answer.error["type"] == "KeyboardInterrupt"
    assert answer.ended_ns - answer.started_ns < 5e9
    assert "raw_syscalls:sys_enter" in answer.trace.events
    assert rig.agent.echo(value=1).value == 1
