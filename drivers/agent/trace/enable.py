"""Enable sources of events in an instance, and disable them; what this kernel does not
have is reported as missing.

A source is a mapping as drivers/contract/source.py makes it.
Ref: Documentation/trace/{events,kprobetrace,fprobetrace,histogram,ftrace}.rst
"""
from __future__ import annotations

import contextlib
import re
from typing import Callable

from drivers.agent.coverage import HARMLESS, one_of
from drivers.agent.trace.request import Source, event_name, label
from drivers.agent.trace.tracefs import GROUP, Folder

TRACERS = {
    "function": ("function", ["function"]),
    "graph": ("function_graph", ["funcgraph_entry", "funcgraph_exit"]),
}


class Refused(Exception):
    """This kernel does not have a source, and why."""


class Sources:
    """What is enabled in one instance.

    `enabled`: labels; `missing`: label → why; `functions`: those that a tracer traces.
    """

    def __init__(self, top: Folder, instance: Folder) -> None:
        self._top, self._instance = top, instance
        self._undo = contextlib.ExitStack()
        self.enabled: list[str] = []
        self.events: list[str] = []  # whose formats the host needs
        self.missing: dict[str, str] = {}
        self.functions: list[str] = []
        self.histograms: dict[str, str] = {}  # label → folder of its event

    def enable(self, sources: list[Source]) -> None:
        """Enable sources; those that cannot be are in `missing` afterwards."""
        self.events.append("ftrace:print")  # step marks are always recorded
        self.enabled.append("ftrace:print")
        for source in sources:
            if source["kind"] not in TRACERS:
                self._try(source, getattr(self, f"_{source['kind']}"))
        self._tracer([source for source in sources if source["kind"] in TRACERS])

    @property
    def addresses(self) -> bool:
        """Whether events hold addresses of functions, which the host must be able to name."""
        return bool(self.functions) or "ftrace:kernel_stack" in self.events

    def disable(self) -> None:
        """Disable everything, in reverse order."""
        self._undo.close()
        self.enabled, self.events, self.missing, self.functions, self.histograms = (
            [],
            [],
            {},
            [],
            {},
        )

    def _try(self, source: Source, enable: Callable[[Source], None]) -> None:
        try:
            enable(source)
        except FileNotFoundError:
            self.missing[label(source)] = "no such event in this kernel"
        except Refused as e:
            self.missing[label(source)] = str(e)
        except OSError as e:
            self.missing[label(source)] = "{}: {}".format(
                source.get("symbol", label(source)), e.strerror
            )
        else:
            self.enabled.append(label(source))

    def _tracepoint(self, source: Source) -> None:
        event = event_name(source)
        folder = "events/{}".format(event.replace(":", "/"))
        self._set(folder + "/enable", "1", "0")
        self.events.append(event)
        if source.get("stack"):
            self._trigger(folder, "stacktrace")
            self.events.append("ftrace:kernel_stack")
            self.enabled.append("ftrace:kernel_stack")

    def _step(self, source: Source) -> None:
        """Nothing to enable: marks are always recorded."""

    def _kprobe(self, source: Source) -> None:
        symbol = (
            source["symbol"]
            if not source.get("module")
            else "{}:{}".format(source["module"], source["symbol"])
        )
        self._probe("kprobe_events", "r" if source.get("return") else "p", symbol, source)

    def _fprobe(self, source: Source) -> None:
        if not self._top.has("dynamic_events") or not re.search(
            r"^\s+f\[", self._top.read("README"), re.M
        ):
            raise Refused("this kernel has no fprobe events (CONFIG_FPROBE_EVENTS)")
        self._probe(
            "dynamic_events",
            "f",
            source["symbol"] + ("%return" if source.get("return") else ""),
            source,
        )

    def _probe(self, file: str, kind: str, symbol: str, source: Source) -> None:
        name = "{}/{}".format(GROUP, source["name"])
        arguments = "".join(" {}={}".format(*pair) for pair in source.get("args", {}).items())
        try:
            self._top.add(file, f"{kind}:{name} {symbol}{arguments}")
        except OSError as e:
            raise Refused(f"{symbol}: {self._error_log(name) or e.strerror}") from e
        self._undo.callback(self._quietly, self._top.add, file, "-:" + name)
        self._tracepoint(source)

    def _error_log(self, command: str) -> str:
        """tracefs' error_log on a refused command, "" for nothing."""
        if not self._top.has("error_log"):  # before Linux 5.2
            return ""
        entries = [entry for entry in self._top.read("error_log").split("\n[") if command in entry]
        return entries[-1].partition("error: ")[2].partition("\n")[0] if entries else ""

    def _histogram(self, source: Source) -> None:
        folder = "events/{}".format(event_name(source).replace(":", "/"))
        if not self._instance.has(folder):
            raise FileNotFoundError
        if not self._instance.has(folder + "/hist"):
            raise Refused("this kernel has no hist triggers (CONFIG_HIST_TRIGGERS)")
        self._trigger(folder, source["filter"], ":pause")
        self.histograms[label(source)] = folder

    def histogram(self, name: str, command: str) -> None:
        """`cont`, `pause` or `clear` a histogram."""
        self._instance.add(
            self.histograms[name] + "/trigger", "{}:{}".format(name.partition(" ")[2], command)
        )

    def _trigger(self, folder: str, text: str, more: str = "") -> None:
        self._instance.add(folder + "/trigger", text + more)
        self._undo.callback(self._quietly, self._instance.add, folder + "/trigger", "!" + text)

    def _tracer(self, sources: list[Source]) -> None:
        """Set the filter of the function or the function_graph tracer, then enable it."""
        if not sources:
            return
        kind, (tracer, events) = sources[0]["kind"], TRACERS[sources[0]["kind"]]
        known = self._instance.read("available_tracers").split()
        if not self._instance.has("set_ftrace_filter") or tracer not in known:
            why = (
                f"this kernel has no {tracer} tracer for instances (CONFIG_{tracer.upper()}_TRACER)"
            )
            self.missing.update((label(source), why) for source in sources)
            return
        self._set("set_ftrace_filter", HARMLESS + "\n", "")
        before = len(self.enabled)
        for source in sources:
            self._try(source, self._filter if source["kind"] == kind else self._other_tracer)
        if len(self.enabled) > before:
            self._set("current_tracer", tracer, "nop")
            self.events += ["ftrace:" + name for name in events]
            self.enabled += ["ftrace:" + name for name in events]
            names = self._instance.read("set_ftrace_filter").splitlines()
            self.functions = [name for name in names if name != HARMLESS]

    def _filter(self, source: Source) -> None:
        pattern, of, module = source["filter"].partition(":mod:")
        try:
            self._instance.add(
                "set_ftrace_filter", (one_of(pattern, module) if of else pattern) + "\n"
            )
        except OSError as e:
            raise Refused(
                "no function that can be traced is called {}: {}".format(
                    source["filter"], e.strerror
                )
            ) from e

    def _other_tracer(self, source: Source) -> None:
        raise Refused(
            "an instance has one tracer, and the other of function and function_graph is enabled"
        )

    def _set(self, name: str, text: str, back: str) -> None:
        """Write a file, and what is written to it when all is turned off."""
        self._instance.write(name, text)
        self._undo.callback(self._quietly, self._instance.write, name, back)

    @staticmethod
    def _quietly(write: Callable[[str, str], None], name: str, text: str) -> None:
        with contextlib.suppress(OSError):  # its module may be gone, and the event with it
            write(name, text)
