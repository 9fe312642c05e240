"""`bench trace`: any trace.dat shown, judged, exported and compared, without a board."""
import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import store
from bench.cli import main
from bench.trace import Trace
from bench.verdict import Outcome
from tests.trace.pages import Layout, Writer, payload, recording, simple

SMALL = Path(__file__).parent.parent / "trace" / "data" / "small.dat"
HEAD = "from drivers.contract import Tracepoint, contract, never, pair, limit, count\n"
OPEN, CLOSE = 'Tracepoint("t:open")', 'Tracepoint("t:close")'


@pytest.fixture
def bench(capsys, monkeypatch):
    """Run a command in this process: its exit code, standard output, standard error."""
    monkeypatch.setenv("COLUMNS", "160")

    def run(*words):
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()
    return run


@pytest.fixture
def saved(tmp_path):
    """Save a trace of (ts, cpu, event, key, value) and return its path."""
    def save(name, *events, **more):
        path = tmp_path / name
        simple(*events, **more).save(path)
        return path
    return save


@pytest.fixture
def written(tmp_path):
    """Write a contract file and return its path."""
    def write(*lines):
        path = tmp_path / "mine.py"
        path.write_text(HEAD + "\n".join(lines) + "\n")
        return path
    return write


@pytest.mark.parametrize("verb", ["show", "check", "export", "diff"])
def test_each_command_has_help_with_examples(bench, verb):
    code, out, _ = bench("trace", verb, "--help")
    assert code == 0
    assert f"example:\n  bench trace {verb} " in out


def test_show_prints_the_events_by_time_with_their_fields(bench):
    code, out, _ = bench("trace", "show", SMALL, "-e", "net_dev_xmit", "--head", 2)
    assert code == 0
    assert out.splitlines()[0].endswith("8,548 events of 36 types in 83.15 ms on 2 CPUs, clock mono, none lost")
    assert out.splitlines()[2].split() == ["net:net_dev_xmit", "634", "7,624.6", "100.0", "%"]
    assert out.splitlines()[4] == ("  2146.253948504   1  python3-20491        net:net_dev_xmit "
                                   "skbaddr=0xffff888100b84100 len=242 rc=0 name='lo'")
    assert len(out.splitlines()) == 6


def test_show_prints_every_event_once_and_in_order(bench):
    out = bench("trace", "show", SMALL, "--events")[1].splitlines()[1:]
    assert [line.split()[0] for line in out] == [f"{w.ts / 1e9:.9f}" for w in Trace.load(SMALL).merged()]


def test_show_takes_a_time_and_a_process(bench):
    out = bench("trace", "show", SMALL, "--events", "--from", "2146.2062", "--to", "+0.0004", "--pid", 20491)[1]
    times = [float(line.split()[0]) for line in out.splitlines()[1:]]
    assert times and min(times) >= 2146.2062 and max(times) < 2146.2066
    assert all("-20491 " in line for line in out.splitlines()[1:])


def test_show_tells_what_was_lost_where_it_was_lost(bench, tmp_path):
    writer = Writer()
    writer.event(1000, payload(Layout(), "t:open", 7, key=1, value=0))
    writer.begin(5000, missed=3)
    writer.event(6000, payload(Layout(), "t:close", 7, key=1, value=0))
    path = tmp_path / "lossy.dat"
    Trace(recording([writer], missing={"t:gone": "no such event"})).save(path)
    out = bench("trace", "show", path)[1].splitlines()
    assert "3 LOST" in out[0]
    assert out[1] == "enabled, no events: t:mark, t:named, t:tail, t:words"
    assert out[2] == "could not be enabled: t:gone: no such event"
    assert [line.split()[4] if "***" not in line else line.strip() for line in out[-3:]] == [
        "key=1", "*** 3 events lost on cpu 0 after 0.000001000 and before 0.000006000", "key=1"]


def test_hostile_text_in_events_is_escaped(bench, tmp_path):
    writer = Writer()
    writer.event(5, payload(Layout(), "t:named", 5, name="a\x1b[2J\u202eb\n", comm="x", port=1, mac=bytes(6), rest=b""))
    path = tmp_path / "hostile.dat"
    Trace(recording([writer], cmdlines={5: "\x1b]0;owned\x07sh"})).save(path)
    out = bench("trace", "show", path, "--events")[1]
    assert "\x1b" not in out and "\u202e" not in out and "\x07" not in out
    assert r"name='a\x1b[2J\u202eb\n'" in out and len(out.splitlines()) == 2


def test_a_pipe_that_is_closed_early_ends_quietly():
    show = subprocess.Popen([sys.executable, "-m", "bench", "trace", "show", str(SMALL)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)
    assert show.stdout.readline().startswith(os.fsencode(SMALL))
    show.stdout.close()
    assert show.stderr.read() == b""
    assert show.wait() == 141


@pytest.mark.parametrize("words", [["show", SMALL], ["diff", SMALL, SMALL, "--all"]])
def test_an_output_without_room_is_one_clear_line(words):
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "bench", "trace", *map(str, words)], stdout=full,
                              stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (
        3, "bench: cannot write the output: no space left on device\n")


@pytest.mark.parametrize("words, said", [
    (["show", SMALL, "-e", "net_dev_xmt"], "no event named 'net_dev_xmt'; did you mean 'net:net_dev_xmit'?"),
    (["show", SMALL, "--from", "soon"], "--from takes seconds such as 12.5 or +0.25, not 'soon'"),
    (["show", SMALL, "--head", "-1"], "--head counts events"),
    (["show", SMALL.parent], "is a folder; name a trace.dat"),
    (["export", SMALL, "--to", "x.txt"], "the extension selects the format: .dat, .pftrace, .csv, .parquet"),
    (["export", SMALL, "--to", SMALL], "is the recording itself"),
    (["export", SMALL, "--to", "/nowhere/x.csv"], "there is no folder /nowhere"),
    (["diff", SMALL, SMALL, "--threshold", "0.5"], "--threshold is a ratio above 1"),
    (["diff", SMALL, SMALL.parent], "two recordings or two records' folders"),
    (["check", "/nowhere.py", SMALL], "/nowhere.py: cannot be read: No such file"),
    (["shw"], "invalid choice: 'shw'"),
    ([], "required: COMMAND"),
])
def test_a_wrong_word_is_usage_and_says_what_to_do(bench, words, said):
    code, _, err = bench("trace", *words)
    assert code == 64
    assert said in err


def test_a_file_that_is_no_recording_names_the_place(bench, tmp_path):
    path = tmp_path / "some.dat"
    path.write_bytes(b"\x17\x08\x44tracing6\0\0")
    code, _, err = bench("trace", "show", path)
    assert (code, "Traceback" in err) == (3, False)
    assert err.startswith(f"bench: {path}: offset 12: ")


def test_check_prints_sentence_verdict_and_the_events_that_show_it(bench, saved, written):
    path = saved("some.dat", (1_000_000, 0, "t:open", 1, 5), (2_000_000, 1, "t:close", 1, 5),
                 (3_000_000, 0, "t:open", 2, 5), (9_000_000, 0, "t:close", 2, 5))
    mine = written(f'ends = contract("each open ends soon", pair({OPEN}, {CLOSE}, key="key", within="5 ms"))',
                   'calm = contract("nothing is marked", never(Tracepoint("t:mark")))')
    code, out, _ = bench("trace", "check", mine, path)
    assert code == 1
    assert out.splitlines()[1:] == [
        "✗ FAIL      each open ends soon",
        "            each open is followed by one close within 5 ms, for each key",
        "            1 × took longer than 5 ms; 2 pairs: min 1 ms, median 1 ms, p99 6 ms, max 6 ms",
        "          time [s] cpu  process              event   fields",
        "       0.003000000   0  <...>-100            t:open  key=2 value=5",
        "       0.009000000   0  <...>-100            t:close key=2 value=5",
        "✓ pass      nothing is marked",
        "            mark never happens",
        "            t:mark was enabled",
        "2 verdicts: 1 hold, 1 fail"]
    assert bench("trace", "check", mine, path, "-k", "marked")[0] == 0


def test_a_contract_whose_events_were_never_armed_is_inconclusive(bench, written):
    mine = written('calm = contract("no timeout", never(Tracepoint("net:net_dev_xmit_timeout")))')
    code, out, _ = bench("trace", "check", mine, SMALL)
    assert code == 2
    assert "? inconclusive no timeout" in out and "the recording does not say that it was enabled" in out
    assert out.splitlines()[-1] == "1 verdict: 1 inconclusive"


def test_what_trace_cmd_does_not_say_can_be_said_armed(bench, written):
    mine = written('calm = contract("no timeout", never(Tracepoint("net:net_dev_xmit_timeout")))')
    assert bench("trace", "check", mine, SMALL, "--armed", "net:*")[0] == 0


def test_values_are_set_on_the_command_line(bench, written):
    mine = written('sent = contract("so many", count(Tracepoint("net:net_dev_xmit"), exactly=limit("frames")))')
    assert bench("trace", "check", mine, SMALL, "--set", "frames=634")[0] == 0
    assert bench("trace", "check", mine, SMALL, "--set", "frames=0x10")[0] == 1
    code, out, _ = bench("trace", "check", mine, SMALL)
    assert code == 2 and "no value is given for frames" in out
    code, _, err = bench("trace", "check", mine, SMALL, "--set", "frame=1")
    assert code == 64 and "did you mean 'frames'?" in err


@pytest.mark.parametrize("lines, said", [
    ([f'x = contract("x", pair({OPEN}, {CLOSE}, within="5 apples"))'], ":2: a duration is a text with a unit"),
    ([f'one = contract("x", never({OPEN}))', f'two = contract("x", never({CLOSE}))'],
     ":3: a second contract named 'x'; the first is in line 2"),
    (["def broken(:"], ":2: invalid syntax"),
    (["", f"x = contract('x', nver({OPEN}))"], ":3: NameError: name 'nver' is not defined"),
    (["@contract", "def it_holds():", "    return 5"], "5 is no claim"),
    (["@contract", "def it_holds():", "    return never('open')"], ":4: 'open' is no role"),
    (["import gibtesnicht"], ":2: ModuleNotFoundError: No module named 'gibtesnicht'"),
    (["x = 1"], ":1: no contract in it: bind one to a name"),
    (["from drivers.contract import Kprobe", 'a = contract("a", never(Kprobe("f")))',
      'from drivers.contract import role', 'b = contract("b", never(role("f", Kprobe("g"))))'],
     ":5: b: two different probes have the same name bench:f"),
])
def test_a_mistake_in_a_contract_file_is_named_by_its_line(bench, written, lines, said):
    mine = written(*lines)
    code, _, err = bench("trace", "check", mine, SMALL)
    assert code == 64 and "Traceback" not in err
    assert err.startswith(f"bench: {mine}:") and said in err


def test_a_text_that_is_compared_with_a_number_is_the_contracts_mistake(bench, written):
    mine = written("from drivers.contract import every",
                   'x = contract("x", every(Tracepoint("net:net_dev_xmit"), name=3))')
    code, _, err = bench("trace", "check", mine, SMALL)
    assert code == 64 and f"{mine}: x: net_dev_xmit: field 'name' of net:net_dev_xmit holds text" in err


def test_export_writes_what_the_ending_says(bench, tmp_path):
    assert bench("trace", "export", SMALL, "--to", tmp_path / "out.csv", "-e", "net_dev_xmit")[0] == 0
    with (tmp_path / "out.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 634
    code, out, _ = bench("trace", "export", SMALL, "--to", tmp_path / "irq.csv", "-e", "irq:irq_*")
    assert code == 0 and sorted(path.name for path in tmp_path.glob("irq*")) == [
        "irq.irq.irq_handler_entry.csv", "irq.irq.irq_handler_exit.csv"]
    assert bench("trace", "export", SMALL, "--to", tmp_path / "out.dat")[0] == 0
    assert Trace.load(tmp_path / "out.dat").events == Trace.load(SMALL).events
    code, out, _ = bench("trace", "export", SMALL, "--to", tmp_path / "out.pftrace")
    assert code == 0 and "8,548 events in 11,331 packets" in out


def work(took_ns, count=20, marks=0):
    """`count` opens, each closed after a time, and some marks."""
    events = []
    for number in range(count):
        begin = number * 1_000_000
        events += [(begin, 0, "t:open", number, 0), (begin + took_ns, 0, "t:close", number, 0)]
    return [*events, *((count * 1_000_000 + n, 0, "t:mark", 0, 0) for n in range(marks))]


def test_diff_finds_what_is_slower_and_what_comes_more_often(bench, saved, written):
    mine = written(f'ends = contract("each open ends", pair({OPEN}, {CLOSE}, key="key"))')
    old = saved("old.dat", *work(10_000, marks=20), began_ns=0, ended_ns=30_000_000)
    same = saved("same.dat", *work(14_000, marks=25), began_ns=0, ended_ns=30_000_000)
    new = saved("new.dat", *work(31_000, marks=80), began_ns=0, ended_ns=30_000_000)
    assert bench("trace", "diff", old, same, "--contracts", mine)[0] == 0
    code, out, _ = bench("trace", "diff", old, new, "--contracts", mine)
    assert code == 1
    rows = [" ".join(line.split()) for line in out.splitlines()[2:]]
    assert rows == ["open → close, median 10 µs (20) 31 µs (20) × 3.10 slower",
                    "t:mark 20 (666.7/s) 80 (2,667/s) × 4.00 more",
                    "4 figures compared, threshold × 1.5: 1 slower, 1 more"]
    assert bench("trace", "diff", old, new, "--contracts", mine, "--threshold", 5)[0] == 0


def test_diff_does_not_decide_by_a_few_events_or_by_recordings_with_losses(bench, saved):
    few = saved("few.dat", *work(10_000, marks=2)), saved("more.dat", *work(10_000, marks=6))
    assert bench("trace", "diff", *few)[0] == 0
    old, new = saved("old.dat", *work(10_000, marks=20)), saved("new.dat", *work(10_000, marks=90),
                                                                  stats_after=["overrun: 3\n"])
    code, out, _ = bench("trace", "diff", old, new)
    assert code == 2 and "inconclusive: events were lost" in out


def test_diff_compares_rates_of_recordings_of_unequal_length(bench, saved):
    long = saved("long.dat", *work(10_000, count=100), began_ns=0, ended_ns=100_000_000)
    short = saved("short.dat", *work(10_000, count=20), began_ns=0, ended_ns=20_000_000)
    assert bench("trace", "diff", long, short)[0] == 1
    assert bench("trace", "diff", long, short, "--rates")[0] == 0


def test_what_is_recorded_only_once_is_said_and_does_not_count(bench, saved):
    old = saved("old.dat", *work(10_000), armed=("t:open", "t:close"))
    new = saved("new.dat", *work(10_000, marks=30))
    code, out, _ = bench("trace", "diff", old, new)
    assert code == 0 and "recorded only in the second" in out


@pytest.fixture
def recorded(tmp_path):
    """Save a record whose checks recorded these events and return its folder."""
    def save(name, **checks):
        folder = tmp_path / name
        with store.Writer(folder) as writer:
            writer.start(store.RunInfo("some"))
            for check, events in checks.items():
                trace = f"traces/{check}.dat"
                simple(*events, began_ns=0, ended_ns=30_000_000, armed=("t:open", "t:close")).save(folder / trace)
                calls = (store.CallRecord("some.call", trace=trace), store.CallRecord("some.other"))
                node, sentence = f"drivers/some/checks/test_some.py::test_{check}", check.replace("_", " ")
                writer.add(store.CheckRecord(node, sentence, "some", Outcome.PASS, calls=calls))
            writer.close({})
        return folder
    return save


def test_check_judges_the_calls_of_a_record_that_have_the_events(bench, recorded, written):
    folder = recorded("record", it_works=work(10_000), it_is_late=work(20_000))
    soon = written(f'soon = contract("soon", pair({OPEN}, {CLOSE}, key="key", within="15 us"))',
                   'calm = contract("calm", never(Tracepoint("t:mark")))')
    code, out, _ = bench("trace", "check", soon, folder)
    assert code == 1
    assert [line for line in out.splitlines() if line and not line.startswith(" ")] == [
        "it works: some.call (traces/it_works.dat)", "✓ pass      soon",
        "it is late: some.call (traces/it_is_late.dat)", "✗ FAIL      soon", "2 verdicts: 1 hold, 1 fail"]


def test_nothing_judged_is_inconclusive(bench, recorded, written):
    folder = recorded("record", it_works=work(10_000))
    code, out, _ = bench("trace", "check", written('calm = contract("calm", never(Tracepoint("t:mark")))'), folder)
    assert code == 2 and out == "nothing was judged: no call recorded the required events: t:mark\n"


def test_diff_pairs_the_checks_of_two_records_by_name(bench, recorded, written):
    mine = written(f'ends = contract("each open ends", pair({OPEN}, {CLOSE}, key="key"))')
    old = recorded("old", same=work(10_000), slow=work(10_000), gone=work(10_000))
    new = recorded("new", same=work(11_000), slow=work(40_000), added=work(10_000))
    code, out, _ = bench("trace", "diff", old, new, "--contracts", mine)
    assert code == 1
    assert [" ".join(line.split()) for line in out.splitlines()] == [
        f"only in {old}: gone", f"only in {new}: added", "slow", "what first second ratio",
        "open → close, median 10 µs (20) 40 µs (20) × 4.00 slower",
        "7 figures compared, threshold × 1.5: 1 slower"]
    assert bench("trace", "diff", old, new, "--contracts", mine, "-k", "same")[0] == 0
    code, _, err = bench("trace", "diff", old, new, "-k", "gone")
    assert code == 64 and "no check with a recording is in both" in err


def test_a_recording_that_is_cut_off_names_its_place(bench, tmp_path):
    path = tmp_path / "cut.dat"
    path.write_bytes(SMALL.read_bytes()[:200_000])
    for words in (["show", path], ["export", path, "--to", tmp_path / "x.csv"], ["diff", path, path]):
        code, _, err = bench("trace", *words)
        assert code == 3 and err.startswith(f"bench: {path}: offset "), err
