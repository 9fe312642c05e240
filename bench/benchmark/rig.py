"""`bench measure` (make bench): the bench measured beside what one would use instead, in one run on one machine."""
from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.rig.rig import Rig, quiet_labgrid
from drivers.contract import Tracepoint

CALLS = 200
SHELL_RUNS = 20
ATTACHMENT = 16 << 20
FRAMES, ROUNDS = 8, 20
STREAMED = 500_000


@dataclass(frozen=True)
class Figure:
    """One measured figure; `beside` is what it is compared with, in the same run."""

    name: str
    value: str
    beside: str = ""


def run(board: str) -> int:
    """Measure on `board`'s twin and print the table."""
    console = Console()
    quiet_labgrid()
    figures: list[Figure] = []
    with console.status("measuring; about two minutes") as status:
        for title, measure in PARTS.items():
            status.update(title)
            figures += measure(board)
    machine = f"{platform.machine()}, {_cores()} cores, Python {platform.python_version()}"
    table = Table(title=machine, title_justify="left")
    for name in ("what", "measured", "beside, in the same run"):
        table.add_column(name)
    for figure in figures:
        table.add_row(figure.name, figure.value, figure.beside)
    console.print(table)
    return 0


def on_the_twin(board: str) -> list[Figure]:
    """Start, calls, attachments, register accesses."""
    began = time.monotonic()
    rig = Rig(board)
    try:
        rig.start()
        ready = time.monotonic()
        _ = rig.kernel.snapshot().value
        first = time.monotonic()
        powered = rig.access.power_on_ns / 1e9
        figures = [
            Figure("power-on to agent ready", f"{ready - powered:.2f} s"),
            Figure("cold start to first answer", f"{first - began:.2f} s"),
        ]
        call = _median(CALLS, lambda: rig.agent.noop().value)
        shell = rig.target.get_driver("ShellDriver")
        run = _median(SHELL_RUNS, lambda: shell.run("true"))
        figures.append(Figure("a call's round trip", f"{call * 1e3:.2f} ms",
                              f"labgrid ShellDriver.run: {run * 1e3:.1f} ms ({run / call:.0f} ×)"))
        figures += _recorder(rig)
        data = bytes(range(256)) * (ATTACHMENT // 256)
        began = time.monotonic()
        assert rig.agent.echo(value=data).value == data
        taken = time.monotonic() - began
        rate = 2 * ATTACHMENT / taken / 1e6
        figures.append(Figure("attachments, both ways", f"{rate:.0f} MB/s", "16 MB out and back"))
        figures.append(_registers(rig))
        return figures
    finally:
        rig.close()


def _recorder(rig: Rig) -> list[Figure]:
    """The cost of recording for a call without events, and the event rate of a call with very many."""
    quiet = rig.agent.tracing(Tracepoint("net:net_dev_xmit_timeout"))
    _ = quiet.noop().value
    enabled, plain = [], []
    for _ in range(CALLS):  # alternating, so that other load on the machine affects both alike
        enabled.append(_seconds(lambda: quiet.noop().value))
        plain.append(_seconds(lambda: rig.agent.noop().value))
    cost = statistics.median(a - b for a, b in zip(enabled, plain, strict=True))
    events = rig.agent.tracing(Tracepoint("raw_syscalls:sys_enter"), Tracepoint("raw_syscalls:sys_exit"))
    _ = events.noop().value
    began = time.monotonic()
    trace = events.timeout(300.0).system_calls(count=STREAMED // 2).trace
    taken = time.monotonic() - began
    size = sum(map(len, trace.recording.pages))
    return [
        Figure("added to a call's round trip by enabled events that do not occur", f"{cost * 1e3:.2f} ms",
               f"not enabled: {statistics.median(plain) * 1e3:.2f} ms, by turns"),
        Figure("events recorded, streamed to the host and indexed", f"{len(trace) / taken:,.0f} /s",
               f"{len(trace):,} events, {size / 1e6:.0f} MB through buffers of 4 MB a CPU, {trace.lost:,} lost"),
    ]


def _registers(rig: Rig) -> Figure:
    """Accesses per second while the driver itself reads frames out of the DM9000."""
    attachment = rig.access.attachments["ethernet"]
    _ = rig.net.set_up_link(address="192.0.2.2", partner=rig.cable.partner.ip).value
    frame = b"\xff" * 6 + bytes.fromhex("020000000001") + b"\x88\xb5" + bytes(1500)
    before, began = attachment.server.accesses, time.monotonic()
    for _ in range(ROUNDS):
        with rig.net.capture(count=FRAMES, timeout_s=30.0) as heard:
            for _ in range(FRAMES):  # no more than the chip's 13 KiB of receive memory holds
                rig.cable.send(frame)
        assert len(heard.value["frames"]) == FRAMES
    taken = time.monotonic() - began
    rate = (attachment.server.accesses - before) / taken
    return Figure("register accesses through the model", f"{rate:,.0f} /s",
                  f"{FRAMES * ROUNDS} frames of 1514 bytes received by the kernel's dm9000 driver")


def traces(board: str) -> list[Figure]:
    """The decoder beside trace-cmd."""
    from bench.benchmark.decode import figures

    return [Figure(*figure) for figure in figures()]


def _median(count: int, action: Callable[[], object]) -> float:
    return statistics.median(_seconds(action) for _ in range(count))


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0))


PARTS: dict[str, Callable[[str], list[Figure]]] = {
    "the twin: start, calls, attachments, registers": on_the_twin,
    "traces: decode and contracts beside trace-cmd": traces,
}
