"""A check of a record as Perfetto shows it: tracks for its calls, its device, the CPUs and the wires, on one clock."""
from collections import Counter

from bench.report import perfetto
from bench.store import Writer
from tests.export.pftrace import ends, parsed, values
from tests.report.sample_record import FAILING, ZERO, RunInfo, host, trace


def written(folder):
    with Writer(folder) as writer:
        writer.start(RunInfo("twin210"))
        writer.add(FAILING)
        trace().save(folder / "traces/0001.dat")
        writer.close({})
    return folder


def test_a_check_has_tracks_per_call_device_cpu_and_wire(tmp_path):
    folder = written(tmp_path / "record")
    count = perfetto.write(FAILING, folder, tmp_path / "out.pftrace")
    packets = parsed(tmp_path / "out.pftrace")
    assert len(packets) == count
    events = ends(packets)
    assert Counter(track for _, track, event in events if event.type != 2) == {
        ("calls", "net.statistics"): 2, ("calls", "net.send_frames"): 1, ("devices", "ethernet"): 3,
        ("irq_handler", "cpu 0"): 3, ("softirq", "cpu 1"): 4, ("kernel events", "cpu 0"): 17,
        ("kernel events", "cpu 1"): 10,
        ("contracts", "every frame is completed"): 1, ("contracts", "the watchdog stays quiet"): 1,
        ("wires", "chip"): 10, ("wires", "cable"): 3, ("logs", "kernel log"): 3, ("logs", "console"): 3}


def test_all_tracks_are_on_one_clock(tmp_path):
    perfetto.write(FAILING, written(tmp_path / "record"), tmp_path / "out.pftrace")
    events = ends(parsed(tmp_path / "out.pftrace"))
    first = {track: (ts - ZERO) / 1e6 for ts, track, event in reversed(events)}
    assert first["calls", "net.send_frames"] == 11.4
    assert first["kernel events", "cpu 0"] == 12.1
    assert first["wires", "chip"] == 12.28
    assert first["logs", "kernel log"] == 11.0
    call = next(event for ts, track, event in events if track == ("calls", "net.send_frames"))
    assert values(call)["result"] == "{sent: 3, completed: 2}"
    assert next(ts for ts, track, event in events if event.name == "net_dev_xmit_timeout") == host(5_216.4)


def test_the_command_line_writes_a_check_of_a_record(tmp_path, capsys):
    from bench.cli.main import main
    folder, to = written(tmp_path / "record"), tmp_path / "out.pftrace"
    assert main(["trace", "export", str(folder), "-k", "every frame", "--to", str(to)]) == 0
    assert capsys.readouterr().out.startswith(f"{to}: ")
    assert len(parsed(to)) > 60
    assert main(["trace", "export", str(folder), "-k", "no such", "--to", str(to)]) == 64
    assert "0 of the 1 checks match" in capsys.readouterr().err
