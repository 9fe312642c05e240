"""Record what the kernel says during one call: a private tracefs instance, binary pages, no text.

The instance and its events stay prepared from call to call while the same events are asked for: setting
up takes far longer than arming.  Ref: Documentation/trace/{ftrace,events,kprobetrace}.rst
"""
from __future__ import annotations

import contextlib
import os
import struct
import sys
from typing import Any, Dict, Iterator, List, Optional

from drivers.agent.symbols import KernelSymbols, loaded_modules
from drivers.source import event_name, label

TRACEFS = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
GROUP = "bench"  # of the kprobe events made here
HARMLESS = "kernel_halt"  # a function that does not run while the bench does
SUBBUF_KB = 64  # larger than the largest payload an event carries: one that does not fit vanishes uncounted


class Tracer:
    """One private tracefs instance; `recording()` arms it around a call."""

    def __init__(self, root: Optional[str] = None) -> None:
        self.root = root or next((t for t in TRACEFS if os.path.exists(t + "/trace")), "")
        self.instance = "%s/instances/bench-%d" % (self.root, os.getpid())
        self.armed: Optional[Dict[str, Any]] = None  # the request that the instance is prepared for
        self.enabled: List[str] = []
        self.missing: Dict[str, str] = {}
        self.probes: Dict[str, str] = {}  # kprobe events made, by name
        self.sent: Dict[str, str] = {}  # formats that the host has got, by event
        self.functions: List[str] = []  # those that the function tracer is on for
        self.modules = b""  # those loaded when the functions' filter was set: it forgets one that goes
        self.symbols = KernelSymbols()

    @contextlib.contextmanager
    def recording(self, wanted: Optional[Dict[str, Any]]) -> Iterator[Dict[str, Any]]:
        """Arm the events of `wanted` ({"sources": […], "buffer_kb": n}); the mapping is filled at the end.

        With None it does nothing.  A kernel without tracefs gives a recording whose events are all missing.
        """
        result: Dict[str, Any] = {}
        if wanted is None:
            yield result
            return
        if not self.root:
            yield result
            result.update(self._nothing(wanted, "tracefs is not mounted, or the kernel has none"))
            return
        try:
            self._prepare(wanted)
        except OSError as e:
            yield result
            result.update(self._nothing(wanted, "tracefs instance: %s" % e))
            return
        symbols = [self.symbols.new()] if self.functions else []
        before = self._stats()
        self._write("tracing_on", "1")
        try:
            yield result
        finally:
            self._write("tracing_on", "0")
            result.update(self._collect(before))
            if self.functions:
                result["symbols"] = [*symbols, self.symbols.new()]

    def close(self) -> None:
        """Remove the instance and the kprobe events."""
        if self.armed is not None:
            self._disable()
            with contextlib.suppress(OSError):
                os.rmdir(self.instance)
        for name in list(self.probes):
            with contextlib.suppress(OSError):
                self._append("kprobe_events", "-:%s/%s" % (GROUP, name))

    # what follows is tracefs, file by file

    def _prepare(self, wanted: Dict[str, Any]) -> None:
        modules = loaded_modules() if any(s["kind"] == "function" for s in wanted["sources"]) else b""
        if self.armed == wanted and not self.missing and modules == self.modules:
            self._write("trace", "")
            return
        if self.armed is None:
            os.mkdir(self.instance)
            self.armed = {}
            self._write("tracing_on", "0")
            self._write("trace_clock", "mono")
            with contextlib.suppress(OSError):  # before Linux 6.8 sub-buffers are a page
                self._write("buffer_subbuf_size_kb", str(SUBBUF_KB))
            with contextlib.suppress(OSError):  # the pid of a kprobe's task is enough without names
                self._write("options/record-cmd", "1")
        self._disable()
        self._write("buffer_size_kb", str(wanted.get("buffer_kb", 2048)))
        for source in wanted["sources"]:
            if source["kind"] != "function":
                self._enable(source)
        self._trace_functions([source for source in wanted["sources"] if source["kind"] == "function"])
        self._write("trace", "")
        self.armed, self.modules = wanted, modules

    def _enable(self, source: Dict[str, Any]) -> None:
        """Enable one event, or note why this kernel cannot show it."""
        event = event_name(source)
        try:
            if source["kind"] == "kprobe":
                self._probe(source)
            self._write("events/%s/enable" % event.replace(":", "/"), "1")
            self.enabled.append(event)
        except FileNotFoundError:
            self.missing[event] = "no such event in this kernel"
        except OSError as e:
            self.missing[event] = "%s: %s" % (source.get("symbol", event), e.strerror)

    def _trace_functions(self, sources: List[Dict[str, Any]]) -> None:
        """Set the function tracer's filter, then turn it on; a filter that no function meets is missing."""
        if not sources:
            return
        if not os.path.exists(self.instance + "/set_ftrace_filter"):
            why = "this kernel has no function tracer for instances (CONFIG_FUNCTION_TRACER, CONFIG_DYNAMIC_FTRACE)"
            self.missing.update((label(source), why) for source in sources)
            return
        self._write("set_ftrace_filter", HARMLESS + "\n")  # an empty filter, or one that becomes empty, means all
        taken = []
        for source in sources:
            try:
                self._add("set_ftrace_filter", source["filter"] + "\n")
                taken.append(label(source))
            except OSError as e:
                self.missing[label(source)] = "no function that can be traced is called %s: %s" % (
                    source["filter"], e.strerror)
        if taken:
            self._write("current_tracer", "function")
            self.enabled += ["ftrace:function", *taken]
            self.functions = [line for line in self._read("set_ftrace_filter").splitlines() if line != HARMLESS]

    def _probe(self, source: Dict[str, Any]) -> None:
        name, symbol = source["name"], source["symbol"]
        if source.get("module"):
            symbol = "%s:%s" % (source["module"], symbol)
        arguments = "".join(" %s=%s" % pair for pair in source.get("args", {}).items())
        line = "%s:%s/%s %s%s" % ("r" if source.get("return") else "p", GROUP, name, symbol, arguments)
        if self.probes.get(name) == line:
            return
        if name in self.probes:
            self._append("kprobe_events", "-:%s/%s" % (GROUP, name))
            self.sent.pop("%s:%s" % (GROUP, name), None)
        self._append("kprobe_events", line)
        self.probes[name] = line

    def _disable(self) -> None:
        if self.functions:
            self._write("current_tracer", "nop")
            self._write("set_ftrace_filter", "")
            self.functions = []
        for event in (one for one in self.enabled if not one.startswith("ftrace:")):
            with contextlib.suppress(OSError):  # its module may be gone, and the event with it
                self._write("events/%s/enable" % event.replace(":", "/"), "0")
        self.enabled, self.missing = [], {}

    def _collect(self, before: List[str]) -> Dict[str, Any]:
        after = self._stats()
        pages = [self._pages(cpu) for cpu in range(len(after))]
        return {
            "pages": pages,
            "stats_before": before,
            "stats_after": after,
            "formats": self._formats(),
            "header_page": self._read("events/header_page"),
            "subbuf_size": self._subbuf_size(),
            "armed": list(self.enabled),
            "functions": list(self.functions),
            "long_size": struct.calcsize("l"),
            "big_endian": sys.byteorder == "big",
            "missing": dict(self.missing),
            "cmdlines": self._global("saved_cmdlines") if any(pages) else "",
        }

    def _formats(self) -> Dict[str, str]:
        """The formats of the enabled events that the host has not got, or got otherwise."""
        new = {}
        for event in (one for one in self.enabled if " " not in one):
            try:
                text = self._read("events/%s/format" % event.replace(":", "/"))
            except OSError:
                continue  # the module was unloaded during the call; the host knows the format from before or not at all
            if self.sent.get(event) != text:
                self.sent[event] = new[event] = text
        return new

    def _subbuf_size(self) -> int:
        with contextlib.suppress(OSError):
            return int(self._read("buffer_subbuf_size_kb")) * 1024
        return os.sysconf("SC_PAGE_SIZE")

    def _pages(self, cpu: int) -> bytes:
        size, parts = self._subbuf_size(), []
        fd = os.open("%s/per_cpu/cpu%d/trace_pipe_raw" % (self.instance, cpu), os.O_RDONLY | os.O_NONBLOCK)
        try:
            while True:
                part = os.read(fd, size)
                if not part:
                    break
                parts.append(part)
        except BlockingIOError:
            pass
        finally:
            os.close(fd)
        return b"".join(parts)

    def _stats(self) -> List[str]:
        cpus = sorted(int(d[3:]) for d in os.listdir(self.instance + "/per_cpu"))
        return [self._read("per_cpu/cpu%d/stats" % cpu) for cpu in cpus]

    def _nothing(self, wanted: Dict[str, Any], why: str) -> Dict[str, Any]:
        return {"pages": [], "missing": dict.fromkeys(map(label, wanted["sources"]), why)}

    def _global(self, name: str) -> str:
        with open("%s/%s" % (self.root, name), errors="replace") as f:
            return f.read()

    def _read(self, name: str) -> str:
        with open("%s/%s" % (self.instance, name)) as f:
            return f.read()

    def _write(self, name: str, text: str) -> None:
        fd = os.open("%s/%s" % (self.instance, name), os.O_WRONLY | os.O_TRUNC)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)

    def _add(self, name: str, text: str) -> None:
        fd = os.open("%s/%s" % (self.instance, name), os.O_WRONLY | os.O_APPEND)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)

    def _append(self, name: str, line: str) -> None:
        fd = os.open("%s/%s" % (self.root, name), os.O_WRONLY | os.O_APPEND)
        try:
            os.write(fd, line.encode())
        finally:
            os.close(fd)
