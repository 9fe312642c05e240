"""Turn sources of events on in an instance, and off again; what this kernel cannot show is named.

Every source is a mapping as drivers/contract/source.py makes it.
Ref: Documentation/trace/{events,kprobetrace,fprobetrace,histogram,ftrace}.rst
"""
from __future__ import annotations

import contextlib
import re
from typing import Any, Callable, Dict, List

from drivers.agent.coverage import HARMLESS, one_of
from drivers.agent.trace.request import event_name, label
from drivers.agent.trace.tracefs import GROUP, Folder

TRACERS = {"function": ("function", ["function"]), "graph": ("function_graph", ["funcgraph_entry", "funcgraph_exit"])}


class Refused(Exception):
    """This kernel cannot show a source, and why."""


class Sources:
    """What is on in one instance.

    `armed`: labels; `missing`: label → why; `functions`: those that a tracer is on for.
    """

    def __init__(self, top: Folder, instance: Folder) -> None:
        self._top, self._instance = top, instance
        self._undo = contextlib.ExitStack()
        self.armed: List[str] = []
        self.events: List[str] = []  # whose formats the host needs
        self.missing: Dict[str, str] = {}
        self.functions: List[str] = []
        self.histograms: Dict[str, str] = {}  # label → folder of its event

    def arm(self, sources: List[Dict[str, Any]]) -> None:
        """Turn sources on; those that cannot be are in `missing` afterwards."""
        self.events.append("ftrace:print")  # step marks, which no switch turns off
        self.armed.append("ftrace:print")
        for source in sources:
            if source["kind"] not in TRACERS:
                self._try(source, getattr(self, "_" + source["kind"]))
        self._tracer([source for source in sources if source["kind"] in TRACERS])

    @property
    def addresses(self) -> bool:
        """Whether events hold addresses of functions, which the host must be able to name."""
        return bool(self.functions) or "ftrace:kernel_stack" in self.events

    def disarm(self) -> None:
        """Turn everything off, last things first."""
        self._undo.close()
        self.armed, self.events, self.missing, self.functions, self.histograms = [], [], {}, [], {}

    def _try(self, source: Dict[str, Any], arm: Callable[[Dict[str, Any]], None]) -> None:
        try:
            arm(source)
        except FileNotFoundError:
            self.missing[label(source)] = "no such event in this kernel"
        except Refused as e:
            self.missing[label(source)] = str(e)
        except OSError as e:
            self.missing[label(source)] = "%s: %s" % (source.get("symbol", label(source)), e.strerror)
        else:
            self.armed.append(label(source))

    def _tracepoint(self, source: Dict[str, Any]) -> None:
        event = event_name(source)
        folder = "events/%s" % event.replace(":", "/")
        self._set(folder + "/enable", "1", "0")
        self.events.append(event)
        if source.get("stack"):
            self._trigger(folder, "stacktrace")
            self.events.append("ftrace:kernel_stack")
            self.armed.append("ftrace:kernel_stack")

    def _step(self, source: Dict[str, Any]) -> None:
        """Nothing to turn on: marks are always recorded."""

    def _kprobe(self, source: Dict[str, Any]) -> None:
        symbol = source["symbol"] if not source.get("module") else "%s:%s" % (source["module"], source["symbol"])
        self._probe("kprobe_events", "r" if source.get("return") else "p", symbol, source)

    def _fprobe(self, source: Dict[str, Any]) -> None:
        if not self._top.has("dynamic_events") or not re.search(r"^\s+f\[", self._top.read("README"), re.M):
            raise Refused("this kernel has no fprobe events (CONFIG_FPROBE_EVENTS)")
        self._probe("dynamic_events", "f", source["symbol"] + ("%return" if source.get("return") else ""), source)

    def _probe(self, file: str, kind: str, symbol: str, source: Dict[str, Any]) -> None:
        name = "%s/%s" % (GROUP, source["name"])
        arguments = "".join(" %s=%s" % pair for pair in source.get("args", {}).items())
        try:
            self._top.add(file, "%s:%s %s%s" % (kind, name, symbol, arguments))
        except OSError as e:
            raise Refused("%s: %s" % (symbol, self._said(name) or e.strerror)) from e
        self._undo.callback(self._quietly, self._top.add, file, "-:" + name)
        self._tracepoint(source)

    def _said(self, command: str) -> str:
        """What the kernel's own log says of a command that it refused, "" for nothing."""
        if not self._top.has("error_log"):  # before Linux 5.2
            return ""
        said = [one for one in self._top.read("error_log").split("\n[") if command in one]
        return said[-1].partition("error: ")[2].partition("\n")[0] if said else ""

    def _histogram(self, source: Dict[str, Any]) -> None:
        folder = "events/%s" % event_name(source).replace(":", "/")
        if not self._instance.has(folder):
            raise FileNotFoundError
        if not self._instance.has(folder + "/hist"):
            raise Refused("this kernel has no hist triggers (CONFIG_HIST_TRIGGERS)")
        self._trigger(folder, source["filter"], ":pause")
        self.histograms[label(source)] = folder

    def histogram(self, name: str, command: str) -> None:
        """`cont`, `pause` or `clear` a histogram."""
        self._instance.add(self.histograms[name] + "/trigger", "%s:%s" % (name.partition(" ")[2], command))

    def _trigger(self, folder: str, text: str, more: str = "") -> None:
        self._instance.add(folder + "/trigger", text + more)
        self._undo.callback(self._quietly, self._instance.add, folder + "/trigger", "!" + text)

    def _tracer(self, sources: List[Dict[str, Any]]) -> None:
        """Set the filter of the function or the function-graph tracer, then turn it on."""
        if not sources:
            return
        kind, (tracer, events) = sources[0]["kind"], TRACERS[sources[0]["kind"]]
        known = self._instance.read("available_tracers").split()
        if not self._instance.has("set_ftrace_filter") or tracer not in known:
            why = "this kernel has no %s tracer for instances (CONFIG_%s_TRACER)" % (tracer, tracer.upper())
            self.missing.update((label(source), why) for source in sources)
            return
        self._set("set_ftrace_filter", HARMLESS + "\n", "")
        before = len(self.armed)
        for source in sources:
            self._try(source, self._filter if source["kind"] == kind else self._other_tracer)
        if len(self.armed) > before:
            self._set("current_tracer", tracer, "nop")
            self.events += ["ftrace:" + name for name in events]
            self.armed += ["ftrace:" + name for name in events]
            self.functions = [one for one in self._instance.read("set_ftrace_filter").splitlines() if one != HARMLESS]

    def _filter(self, source: Dict[str, Any]) -> None:
        pattern, of, module = source["filter"].partition(":mod:")
        try:
            self._instance.add("set_ftrace_filter", (one_of(pattern, module) if of else pattern) + "\n")
        except OSError as e:
            raise Refused("no function that can be traced is called %s: %s" % (source["filter"], e.strerror)) from e

    def _other_tracer(self, source: Dict[str, Any]) -> None:
        raise Refused("an instance has one tracer, and the other of function and function_graph is on")

    def _set(self, name: str, text: str, back: str) -> None:
        """Write a file, and what is written to it when all is turned off."""
        self._instance.write(name, text)
        self._undo.callback(self._quietly, self._instance.write, name, back)

    @staticmethod
    def _quietly(write: Callable[[str, str], None], name: str, text: str) -> None:
        with contextlib.suppress(OSError):  # its module may be gone, and the event with it
            write(name, text)
