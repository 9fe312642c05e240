"""The recorder on the target, for real: every kind of source on the twin's kernel, judged on the host."""
import pytest

from bench import Rig
from bench.trace import Trace
from bench.verdict import Outcome
from drivers.contract import Function, Tracepoint, contract, never, order, seen


@pytest.fixture(scope="module")
def rig():
    with Rig("twin210") as rig:
        rig.net.enter(address="192.0.2.2", partner=rig.cable.partner.ip)
        yield rig


def pinged(rig, *wanted):
    """One answered ping, recorded."""
    answer = rig.net.with_events(*wanted).ping(address=rig.cable.partner.ip, count=1)
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
    assert (ordered(trace).outcome, unseen(trace).outcome) == (Outcome.PASS, Outcome.PASS)
    assert len(set(trace.symbols("ftrace:function", "ip"))) == 2


def test_a_function_that_cannot_be_traced_is_named_and_what_depends_on_it_is_undecided(rig):
    unseen = contract("unseen", never(Function("dm9000_no_such_function")))
    trace = pinged(rig, unseen, Tracepoint("net:net_dev_queue"))
    verdict = unseen(trace)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "no function that can be traced is called dm9000_no_such_function" in verdict.reason
    assert "ftrace:function" not in trace.events


def test_the_functions_of_a_module_are_seen_from_its_load_to_its_removal(rig):
    recorded = rig.kernel.with_events(Function(":mod:dm9000"))
    for _ in range(2):  # it has moved the second time
        removal, load = recorded.unload_module(name="dm9000", timeout_s=5.0), recorded.load_module(name="dm9000")
        assert removal.value and load.value
        assert "dm9000_drv_remove" in set(removal.trace.symbols("ftrace:function", "ip"))
        assert "dm9000_probe" in set(load.trace.symbols("ftrace:function", "ip"))
    rig.net.enter(address="192.0.2.2", partner=rig.cable.partner.ip)


def test_a_saved_recording_keeps_the_symbols_that_it_needs_and_no_others(rig, tmp_path):
    trace = pinged(rig, Function(":mod:dm9000"))
    trace.save(tmp_path / "functions.dat")
    again = Trace.load(tmp_path / "functions.dat")
    assert list(again.symbols("ftrace:function", "ip")) == list(trace.symbols("ftrace:function", "ip"))
    assert again.recording.kallsyms.count("\n") < 60
    assert seen_in(again, "dm9000_start_xmit")


def seen_in(trace, function):
    return contract("seen", seen(Function(function)))(trace).outcome is Outcome.PASS
