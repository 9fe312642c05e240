"""bench trace record, as a person starts it."""
import signal
import subprocess
import sys
import time

import pytest

from bench.trace import Trace

BENCH = [sys.executable, "-m", "bench", "trace", "record", "--board", "twin210"]


def record(*arguments):
    return subprocess.run([*BENCH, *arguments], capture_output=True, text=True, timeout=120)


def test_a_call_is_recorded_with_events_probes_and_functions(tmp_path):
    out = tmp_path / "out.dat"
    done = record("-e", "irq", "-e", "net_dev_*", "-p", "dm9000_start_xmit skb=%r0", "-f", ":mod:dm9000",
                  "-o", str(out), "--before", "net.set_up_link address=192.0.2.2 partner=192.0.2.1",
                  "--", "net.ping", "address=192.0.2.1", "count=3")
    assert done.returncode == 0, done.stderr
    assert "net.ping: [0." in done.stdout and "none lost" in done.stdout
    trace = Trace.load(out)
    assert {"irq:irq_handler_entry", "net:net_dev_xmit", "bench:dm9000_start_xmit"} <= set(trace.events)
    assert trace.events["bench:dm9000_start_xmit"] == trace.events["net:net_dev_xmit"] >= 3
    assert "dm9000_interrupt" in set(trace.symbols("ftrace:function", "ip"))
    assert trace["bench:dm9000_start_xmit"]["skb"].tolist() == trace["net:net_dev_xmit"]["skbaddr"].tolist()
    shown = subprocess.run([*BENCH[:4], "show", str(out)], capture_output=True, text=True, timeout=60)
    assert "ip=dm9000_start_xmit" in shown.stdout


def test_what_a_contract_file_needs_is_recorded_and_then_judged(tmp_path):
    out, ours = tmp_path / "out.dat", tmp_path / "ours.py"
    ours.write_text("""from drivers.contract import Kprobe, Tracepoint, contract, never, pair
given = Kprobe("dm9000_start_xmit", "dm9000", {"skb": "%r0"})
sent = Tracepoint("net:net_dev_start_xmit", {"skb": "skbaddr"})
taken = contract("each frame is taken", pair(sent, given, key="skb"))
lost = contract("nothing that does not exist happens", never(Tracepoint("net:no_such_event")))
""")
    done = record("--contracts", str(ours), "-o", str(out), "--before",
                  "net.set_up_link address=192.0.2.2 partner=192.0.2.1", "--", "net.ping",
                  "address=192.0.2.1", "count=3")
    assert done.returncode == 0, done.stderr
    assert "could not be enabled: net:no_such_event: " in done.stdout
    judged = subprocess.run([*BENCH[:4], "check", str(ours), str(out)], capture_output=True, text=True, timeout=60)
    assert judged.returncode == 2, judged.stdout + judged.stderr
    assert judged.stdout.splitlines()[-1] == "2 verdicts: 1 hold, 1 inconclusive"


def test_ctrl_c_ends_the_recording_and_keeps_it(tmp_path):
    out = tmp_path / "out.dat"
    program = subprocess.Popen([*BENCH, "-e", "sched_switch", "-o", str(out), "--shell",
                                "while :; do sleep 0.01; done"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    try:
        assert any("recording; Ctrl-C ends it" in line for line in iter(program.stderr.readline, ""))
        time.sleep(1.0)
        program.send_signal(signal.SIGINT)
        said, errors = program.communicate(timeout=30)
    finally:
        program.kill()
    assert program.returncode == 0, errors
    assert "ended by Ctrl-C" in said
    assert Trace.load(out).events["sched:sched_switch"] > 30


@pytest.mark.parametrize("wrong, words", [
    (("-e", "nett"), "no event or system named 'nett'; did you mean 'net'?"),
    ((), "nothing to record: give -e, -p, -r, -f, -g or --contracts"),
    (("--contracts", "/nowhere.py"), "/nowhere.py: cannot be read: No such file or directory")])
def test_what_is_not_there_is_said_with_the_nearest_name(tmp_path, wrong, words):
    done = record("-o", str(tmp_path / "out.dat"), *wrong)
    assert done.returncode == 64
    assert words in done.stderr
    assert list(tmp_path.iterdir()) == []
