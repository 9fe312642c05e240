"""Driver coverage: what was entered, as the whole trace has it too; what no check reached; what nobody knows."""
import errno
import io
import os
import subprocess
import sys

import pytest
from rich.console import Console

from bench import Rig, report
from bench.errors import AgentDied
from bench.results import coverage, uncovered
from bench.store import CheckRecord, Covered, RunInfo, Writer, read
from bench.verdict import Outcome
from drivers.contract.source import Function

POLLED = {"dm9000_poll_work", "dm9000_phy_read"}  # the driver's own work, every second
RUN = RunInfo("twin210", covers={"dm9000": "dm9000", "serial": ""})


@pytest.fixture(scope="module")
def rig():
    with Rig("twin210") as rig:
        rig.net.set_up_link(address="192.0.2.2", partner=rig.cable.partner.ip)
        yield rig


def entered(rig):
    found = rig.agent.covered().value
    return set(found["entered"].get("dm9000", ())), found["lost"]


def pinged(rig, count=1):
    return rig.net.ping(address=rig.cable.partner.ip, count=count).value


def test_coverage_has_what_the_whole_trace_has(rig):
    assert rig.agent.cover(drivers=["dm9000", "nosuch"]).value == {"dm9000": "dm9000", "nosuch": ""}
    answer = rig.net.tracing(Function(":mod:dm9000")).ping(address=rig.cable.partner.ip, count=3)
    seen = set(answer.trace.symbols("ftrace:function", "ip"))
    found, lost = entered(rig)
    assert {"dm9000_start_xmit", "dm9000_send_packet", "dm9000_interrupt"} <= seen
    assert (seen - found, found - seen - POLLED, lost) == (set(), set(), 0)
    functions = rig.agent.covered().value["functions"]["dm9000"]
    assert functions == sorted({line.split()[0] for line in answer.trace.recording.functions})


def test_what_was_seen_once_is_not_traced_any_more(rig):
    _ = rig.agent.cover(drivers=["dm9000"]).value
    pinged(rig)
    assert "dm9000_start_xmit" in entered(rig)[0]
    pinged(rig, count=5)
    assert "dm9000_start_xmit" not in entered(rig)[0]


def test_a_module_that_is_loaded_anew_is_watched_from_its_first_function(rig):
    _ = rig.agent.cover(drivers=["dm9000"]).value
    _ = rig.kernel.reload_module(name="dm9000").value
    found, lost = entered(rig)
    assert {"dm9000_drv_remove", "dm9000_driver_init", "dm9000_probe"} <= found
    assert lost == 0
    rig.net.set_up_link(address="192.0.2.2", partner=rig.cable.partner.ip)


def test_entries_that_nobody_saw_are_counted(rig):
    _ = rig.agent.cover(drivers=["dm9000"], buffer_kb=4, look_s=30.0).value
    pinged(rig, count=300)
    assert entered(rig)[1] > 0


def test_an_agent_that_watches_nothing_says_so_and_a_new_one_begins_anew(rig):
    _ = rig.agent.cover(drivers=["dm9000"]).value
    with pytest.raises(AgentDied):
        rig.agent.die()
    assert rig.agent.covered().errno == errno.ESRCH
    _ = rig.agent.cover(drivers=["dm9000"]).value  # in the place of what the dead one left
    pinged(rig)
    assert "dm9000_start_xmit" in entered(rig)[0]


# records

def recorded(folder, *covered, run=RUN):
    with Writer(folder) as writer:
        writer.start(run)
        for number, modules in enumerate(covered):
            writer.add(CheckRecord(f"t.py::test_{number}", f"check {number}", "net", Outcome.PASS, covered=modules))
        writer.close({})
    return read(folder)


def test_a_record_says_who_entered_what_first_and_what_none_reached(tmp_path):
    record = recorded(tmp_path / "r", (Covered("dm9000", ("a", "init"), ("a", "b", "c")),),
                      (Covered("dm9000", ("a", "b")),))
    [module] = coverage(record)
    assert (module.drivers, module.entered, module.never, module.unknown) == (("dm9000",), ["a", "b"], ["c"], [])
    assert module.first == {"a": "check 0", "init": "check 0", "b": "check 1"}
    assert uncovered(record) == [
        "serial: built in or not loaded: its functions cannot be told apart from the rest of the kernel"]


def test_with_entries_lost_what_was_not_seen_is_unknown_and_never_not_reached(tmp_path):
    record = recorded(tmp_path / "r", (Covered("dm9000", ("a",), ("a", "b")),), (Covered("dm9000", lost=1),))
    [module] = coverage(record)
    assert (module.entered, module.never, module.unknown) == (["a"], [], ["b"])
    text = drawn(report.covered(record, every=True))
    assert "unknown: 1 entries were lost" in text and "never reached by a check" not in text


def test_a_kernel_that_cannot_says_so(tmp_path):
    record = recorded(tmp_path / "r", (), run=RunInfo("twin210", covers_missing="this kernel has no function tracer"))
    assert uncovered(record) == ["no coverage: this kernel has no function tracer"]
    assert "no coverage: this kernel has no function tracer" in report.render(record)


def drawn(what):
    out = io.StringIO()
    Console(file=out, width=80).print(what)
    return out.getvalue()


def test_the_command_runs_checks_and_shows_the_same_again_from_the_record(tmp_path):
    def bench(*words):
        done = subprocess.run([sys.executable, "-m", "bench", "coverage", *words], capture_output=True, text=True,
                              timeout=240, env={**os.environ, "COLUMNS": "100"})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout[done.stdout.index("Driver functions entered"):].split("report  ")[0].rstrip()

    folder = tmp_path / "record"
    shown = bench("--board", "twin210", "-k", "test_the_carrier_follows_the_cable_both_ways", "--record", str(folder))
    assert bench(str(folder)) == shown
    [module] = [one for one in coverage(read(folder)) if one.module == "dm9000"]
    assert "dm9000_open" in module.first and "dm9000_set_eeprom" in module.never
    assert f"{len(module.entered)} of {len(module.functions)}" in shown and "dm9000_set_eeprom" in shown
    calls = [call.call for check in read(folder).checks for call in check.calls]
    assert not [name for name in calls if name.startswith("agent.")]
