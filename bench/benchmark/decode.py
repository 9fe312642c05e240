"""How fast the decoder is beside trace-cmd and its library, on one recording, made here, in one run.

`python -m bench.benchmark.decode` prints the figures; with a file as argument it decodes that file and times it.
"""
from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.benchmark import commands, synthetic
from bench.errors import Broken
from bench.judge.intervals import INTERVALS
from bench.judge.view import View
from bench.trace.trace import Trace
from drivers.contract import Tracepoint, latency

EVENTS = 3_000_000
TURNS, ROUNDS = 3, 5
PAIRED = latency(Tracepoint("raw_syscalls:sys_enter"), Tracepoint("raw_syscalls:sys_exit"), key="pid", max="1 s")
# What the others need; `make bench` installs it (bench/setup/packages.py).
LIBRARY = ("-I/usr/include/trace-cmd", "-I/usr/include/tracefs", "-I/usr/include/traceevent",
           "-ltracecmd", "-ltracefs", "-ltraceevent")


def figures(events: int = EVENTS) -> list[tuple[str, str, str]]:
    """(what, figure, beside what): decoding, the same by trace-cmd and by its library, pairing, peak memory."""
    with tempfile.TemporaryDirectory(prefix="bench-trace-") as folder:
        path = Path(folder) / "synthetic.dat"
        recording = synthetic.recording(events)
        Trace(recording).save(path)
        raw = sum(map(len, recording.pages))
        del recording
        report, iterate = shutil.which("trace-cmd"), _iterator(Path(folder))
        ours, reports, iterations = [], [], []
        for _ in range(TURNS):  # alternating, so that other load on the machine affects all alike
            ours.append(_decode(path))
            reports += [commands.seconds([report, "report", "-t", str(path)])] if report else []
            iterations += [_iterated(iterate, path, ours[0]["events"]) for _ in range(ROUNDS)] if iterate else []
        whole = commands.figures(path, report)
    count, pairs = ours[0]["events"], max(result["paired_per_s"] for result in ours)
    rate, peak = count / min(result["seconds"] for result in ours), max(result["peak"] for result in ours)
    conditions = (f"{count:,} events in {raw / 1e6:.0f} MB of pages, every form of record, 2 CPUs; "
                  f"the best of {TURNS} turns")
    return [
        ("events decoded into typed arrays, file to arrays", f"{rate / 1e6:.1f} M/s", conditions),
        _other("the same events by trace-cmd report, text to /dev/null", count, rate, reports, "trace-cmd", 15),
        _other("the same events by libtracecmd's iterator in C, one field read", count, rate, iterations,
               "gcc libc6-dev libtracecmd-dev libtracefs-dev libtraceevent-dev", 1),
        ("events paired by a latency contract", f"{pairs / 1e6:.1f} M/s", "sys_enter, sys_exit by pid, p99; aim: 20"),
        ("peak memory of decoding, mapped file included", f"{peak / 1e6:.0f} MB",
         f"{peak / raw:.2f} times the raw pages, beyond the interpreter's own; aim: 2"),
        *whole]


def _other(what: str, count: int, rate: float, seconds: list[float], packages: str, aim: int) -> tuple[str, str, str]:
    """The figure of another program beside our `rate`, or how to install it."""
    if not seconds:
        return what, "not measured", f"apt-get install {packages}"
    theirs = count / min(seconds)
    return what, f"{theirs / 1e6:.2f} M/s", f"same run; the decoder is {rate / theirs:.3g} times as fast; aim: {aim}"


def _iterator(folder: Path) -> Path | None:
    """iterate.c as a program, None without a compiler or the library."""
    compiler, program = shutil.which("gcc"), folder / "iterate"
    if compiler is None or not Path("/usr/include/trace-cmd/trace-cmd.h").exists():
        return None
    _checked([compiler, "-O2", "-o", str(program), str(Path(__file__).with_name("iterate.c")), *LIBRARY])
    return program


def _iterated(program: Path, path: Path, events: int) -> float:
    """Seconds of one iteration, from opening the file on."""
    count, _, nanoseconds = map(int, _checked([str(program), str(path)]).split())
    if count != events:
        raise Broken(f"libtracecmd's iterator saw {count} events, the decoder {events}")
    return nanoseconds / 1e9


def _decode(path: Path) -> dict[str, Any]:
    """Decode in a process of its own, so that its memory is its own."""
    measured: dict[str, Any] = json.loads(_checked([sys.executable, "-m", "bench.benchmark.decode", str(path)]))
    return measured


def _checked(command: list[str]) -> str:
    """What a program prints; raises Broken with its standard error when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, errors="backslashreplace")
    if done.returncode:
        raise Broken(f"{command[0]} failed: {done.stderr.strip()[-400:]}")
    return done.stdout


def decode(path: Path) -> dict[str, float]:
    """Load a file and make every event type's array, one after another; then pair: the best of several rounds."""
    own, peak = _peak(), 0
    seconds = []
    for _ in range(ROUNDS + 1):  # the first one, which also waits for memory from the system, is left out
        began = time.perf_counter()
        trace = Trace.load(path)
        for event in trace.events:
            len(trace[event])
        seconds.append(time.perf_counter() - began)
        peak = peak or _peak() - own  # of one recording: later ones find what the allocator kept
        del trace
    trace = Trace.load(path)
    view = View(trace)
    count = sum(len(view.events(role)) for role in PAIRED.roles)
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        INTERVALS["latency"](PAIRED, view)
        times.append(time.perf_counter() - began)
    return {"events": len(trace), "seconds": min(seconds[1:]), "peak": peak,
            "paired_per_s": count / min(times)}


def _peak() -> int:
    """The most memory that this process ever had resident, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise Broken("/proc/self/status has no VmHWM")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(decode(Path(sys.argv[1]))))
    else:
        for what, figure, beside in figures():
            print(f"{what:65} {figure:>12}   {beside}")
