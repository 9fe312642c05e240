"""Function coverage of modules while the agent runs, by the function tracer; each function is
traced until it was seen.

A driver's busiest functions run a million times in a run, and one entry is enough. A thread reads
the entries and takes each function that was seen out of the filter; the kernel then restores the
nop at its entry, which costs nothing. The alternatives are slower: function probes that count down
(`NAME:stacktrace:1`) stay at the entry and take a stack each; the function profiler counts every
entry, and few kernels have it; the function tracer's event has no triggers, hence no histogram.
Ref: Documentation/trace/ftrace.rst ("The filter files", "Filter commands"), kernel/trace/ftrace.c
"""
from __future__ import annotations

import bisect
import contextlib
import os
import re
import threading
from collections.abc import Iterator
from typing import TypedDict

from drivers.agent.trace.symbols import KernelSymbols

INSTANCE = "instances/bench-coverage"
# Keeps the filter from becoming empty, which would trace every function of the kernel
HARMLESS = "kernel_halt"
BUFFER_KB = 1024  # for each CPU: some 40000 entries between two reads
LOOK_S = 0.05
LOSSES = re.compile(r"^(?:overrun|commit overrun|dropped events): (\d+)", re.M)
FURTHEST = 64  # bytes from a function's symbol to its call of the tracer


class Covered(TypedDict):
    """Names of functions by module: `entered` for the first time, and all
    `functions` that can be traced.
    """

    entered: dict[str, list[str]]
    functions: dict[str, list[str]]
    lost: int  # entries that the buffer had no room for


class Coverage:
    """Coverage of modules by name: `start`, any number of `collect`, `stop`.

    `Coverage.running` is the one of this process. Whoever unloads a module does so inside
    `unloading`: the kernel drops a module's filter with the module, and the next read would set it
    again only after the driver's probe.
    """

    running: Coverage | None = None

    def __init__(
        self, tracefs: str, modules: list[str], buffer_kb: int = BUFFER_KB, look_s: float = LOOK_S
    ) -> None:
        self.folder = f"{tracefs}/{INSTANCE}"
        self.modules, self.buffer_kb, self.look_s = modules, buffer_kb, look_s
        self.functions: dict[str, list[str]] = {}  # of each module, those that can be traced
        self._entered: dict[str, list[str]] = {}
        self._seen: set[tuple[str, str]] = set()  # function, module
        self._unloaded: set[str] = set()  # their filter is set again when they are back
        self._unnamed = self._reported_lost = 0
        self._table: list[tuple[int, str, str]] = []  # address, function, module; by address
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._trace_pipe = -1
        self._failed = ""

    def start(self) -> None:
        """Begin; OSError when this kernel has no function tracer for instances."""
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(self.folder)  # left by an agent that died
        os.mkdir(self.folder)
        try:
            self._write("tracing_on", "0")
            self._write("buffer_size_kb", str(self.buffer_kb))
            for option, on in (
                ("raw", "1"),
                ("context-info", "0"),
            ):  # a line is then two addresses: function, caller
                self._write("options/" + option, on)
            self._filter([HARMLESS, *map(_all_of, self.modules)])
            self._list()
            self._resymbol()
            self._write("current_tracer", "function")
            self._trace_pipe = os.open(
                self.folder + "/trace_pipe", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
            )
            self._write("tracing_on", "1")
        except BaseException:
            self._remove()
            raise
        Coverage.running = self
        self._thread.start()

    def stop(self) -> None:
        """Stop, and remove the instance."""
        self._stopping.set()
        self._thread.join()
        Coverage.running = None
        self._remove()

    def collect(self) -> Covered:
        """Functions that were entered for the first time since the last call, and
        how many entries were lost.
        """
        with self._lock:
            self._read()
            entered, self._entered = self._entered, {}
            lost = self._count_lost() + self._unnamed
            lost, self._reported_lost = lost - self._reported_lost, lost
            if self._failed:
                raise OSError(5, self._failed)
            return {
                "entered": {module: sorted(names) for module, names in entered.items()},
                "lost": lost,
                "functions": self.functions,
            }

    @contextlib.contextmanager
    def unloading(self, module: str) -> Iterator[None]:
        """Around the unloading of a module: resolve its last entries while it has
        symbols, then expect it again.
        """
        with self._lock:
            self._read()
            yield
            self._read()
            self._table = [row for row in self._table if row[2] != module]
            if module in self.modules and module[0].isdigit():
                self._unloaded.add(module)
            elif module in self.modules:
                self._filter(
                    [_all_of(module)]
                )  # kept for the module to come, before its first function runs

    def _watch(self) -> None:
        while not self._stopping.wait(self.look_s):
            with self._lock:
                try:
                    self._read()
                except OSError as error:
                    self._failed = f"coverage stopped: {error}"
                    return

    def _read(self) -> None:
        """Read what was entered, and take it out of the filter."""
        for module in filter(_loaded, sorted(self._unloaded)):
            self._filter([_all_of(module)])
            self._unloaded.remove(module)
        addresses = self._read_addresses()
        if any(self._name(address) is None for address in addresses):
            self._resymbol()
        names = [self._name(address) for address in addresses]
        self._unnamed += names.count(None)  # of a module that was loaded and unloaded by others
        for name, module in filter(None, names):
            if (name, module) not in self._seen:
                self._seen.add((name, module))
                self._entered.setdefault(module, []).append(name)
        if addresses:
            self._filter(sorted({"!" + one_of(*entry) for entry in names if entry}))

    def _read_addresses(self) -> list[int]:
        addresses: set[int] = set()
        with contextlib.suppress(BlockingIOError):
            while True:
                text = os.read(self._trace_pipe, 1 << 16)
                if not text:
                    break
                addresses.update(
                    int(address, 16)
                    for address in re.findall(rb"^([0-9a-f]+) [0-9a-f]+$", text, re.M)
                )
        return sorted(addresses)

    def _count_lost(self) -> int:
        lost = 0
        for cpu in os.listdir(self.folder + "/per_cpu"):
            with open(f"{self.folder}/per_cpu/{cpu}/stats") as file:
                lost += sum(map(int, LOSSES.findall(file.read())))
        return lost

    def _name(self, address: int) -> tuple[str, str] | None:
        place = bisect.bisect_right(self._table, (address, "\x7f", "")) - 1
        if place < 0 or address - self._table[place][0] > FURTHEST:
            return None
        return self._table[place][1:]

    def _resymbol(self) -> None:
        symbols = KernelSymbols().changed()
        table = []
        for module in self.modules:
            for line in symbols.get(module, b"").decode("ascii", "replace").splitlines():
                address, _, name, *_ = line.split()
                table.append((int(address, 16), name, module))
        self._table = sorted(table)

    def _list(self) -> None:
        """Keep which functions of each module can be traced: those that the filter accepted."""
        with open(self.folder + "/set_ftrace_filter") as file:
            for line in file:
                name, _, module = line.strip().partition(" [")
                if module:
                    self.functions.setdefault(module.rstrip("]"), []).append(name)
        self.functions = {module: sorted(set(names)) for module, names in self.functions.items()}

    def _filter(self, patterns: list[str]) -> None:
        """Add patterns to the filter, or remove those with "!"; the kernel patches its
        code once, at the close.
        """
        fd = os.open(self.folder + "/set_ftrace_filter", os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            for pattern in patterns:
                try:
                    os.write(fd, pattern.encode() + b"\n")
                except OSError:
                    if not pattern.startswith("!"):  # which may have gone with its module
                        raise
        finally:
            os.close(fd)

    def _write(self, name: str, text: str) -> None:
        with open(f"{self.folder}/{name}", "w") as file:
            file.write(text)

    def _remove(self) -> None:
        if self._trace_pipe >= 0:
            os.close(self._trace_pipe)
        for name, text in (("tracing_on", "0"), ("current_tracer", "nop")):
            with contextlib.suppress(OSError):
                self._write(name, text)
        os.rmdir(self.folder)


def one_of(function: str, module: str) -> str:
    """The filter of a function. A name that begins with a digit is a number to the kernel's
    parser, unless in brackets.

    Ref: kernel/trace/trace_events_filter.c (filter_parse_regex). In brackets it is not
    kept for a module to come.
    """
    name = f"[{module[0]}]{module[1:]}" if module[0].isdigit() else module
    return f"{function}:mod:{name}"


def _all_of(module: str) -> str:
    return one_of("", module)


def _loaded(module: str) -> bool:
    return os.path.exists(f"/sys/module/{module}/initstate")


def module_of(driver: str) -> str:
    """The loaded module that has a driver, by the driver's own name; "" for one that
    is built in, or not there.
    """
    places = [f"/sys/bus/{bus}/drivers/{driver}/module" for bus in sorted(os.listdir("/sys/bus"))]
    names = [os.path.basename(os.path.realpath(path)) for path in places if os.path.exists(path)]
    # A driver that is built in has a folder there as well, without a state.
    loaded = [name for name in [*names, driver.replace("-", "_")] if _loaded(name)]
    return loaded[0] if loaded else ""
