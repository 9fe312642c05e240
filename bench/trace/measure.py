"""How fast the decoder is beside trace-cmd, on one recording that this makes, in one run.

`python -m bench.trace.measure` prints the figures; with a file as argument it decodes that file and says how it went.
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

from bench.errors import Broken
from bench.trace import synthetic
from bench.trace.sight import Sight
from bench.trace.trace import Trace
from bench.trace.verbs import VERBS
from drivers.contract import Tracepoint, latency

EVENTS = 3_000_000
TURNS, ROUNDS = 3, 5
PAIRED = latency(Tracepoint("raw_syscalls:sys_enter"), Tracepoint("raw_syscalls:sys_exit"), key="pid", max="1 s")


def figures(events: int = EVENTS) -> list[tuple[str, str, str]]:
    """(what, figure, measured beside what): decoding, the same by trace-cmd, pairing and peak memory."""
    with tempfile.TemporaryDirectory(prefix="bench-trace-") as folder:
        path = Path(folder) / "synthetic.dat"
        made = synthetic.recording(events)
        Trace(made).save(path)
        raw = sum(map(len, made.pages))
        del made
        theirs: list[float] = []
        ours = []
        for _ in range(TURNS):  # by turns: both meet the same other load of the machine
            theirs += _trace_cmd(path)
            ours.append(_decode(path))
    count, pairs = ours[0]["events"], max(one["paired_per_s"] for one in ours)
    rate, peak = count / min(one["seconds"] for one in ours), max(one["peak"] for one in ours)
    said = f"{count:,} events in {raw / 1e6:.0f} MB of pages, every form of record, 2 CPUs; the best of {TURNS} turns"
    found = [("events decoded into typed arrays, file to arrays", f"{rate / 1e6:.1f} M/s", said)]
    if theirs:
        slow = count / min(theirs)
        found.append(("the same events by trace-cmd report, text to /dev/null", f"{slow / 1e6:.2f} M/s",
                      f"same run; the decoder is {rate / slow:.1f} times as fast"))
    found.append(("events paired by a latency contract", f"{pairs / 1e6:.1f} M/s", "sys_enter, sys_exit by pid, p99"))
    found.append(("peak memory of decoding, mapped file included", f"{peak / 1e6:.0f} MB",
                  f"{peak / raw:.2f} times the raw pages, beyond the interpreter's own"))
    return found


def _trace_cmd(path: Path) -> list[float]:
    """Seconds of one report, nothing when trace-cmd is not installed."""
    program = shutil.which("trace-cmd")
    if program is None:
        return []
    began = time.perf_counter()
    done = subprocess.run([program, "report", "-t", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode:
        raise Broken(f"trace-cmd report failed: {done.stderr.decode(errors='replace').strip()}")
    return [time.perf_counter() - began]


def _decode(path: Path) -> dict[str, Any]:
    """Decode in a process of its own, so that its memory is its own."""
    done = subprocess.run([sys.executable, "-m", "bench.trace.measure", str(path)], capture_output=True, text=True)
    if done.returncode:
        raise Broken(f"the measurement failed: {done.stderr.strip().splitlines()[-1:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


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
    sight = Sight(trace)
    count = sum(len(sight.events(role)) for role in PAIRED.roles)
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        VERBS["latency"](PAIRED, sight)
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
            print(f"{what:60} {figure:>12}   {beside}")
