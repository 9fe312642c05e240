"""Record what the kernel says during one call: a private tracefs instance, binary pages, no text.

The instance and its events stay prepared from call to call while the same events are asked for: setting
up takes far longer than arming.  Ref: Documentation/trace/ftrace.rst
"""
from __future__ import annotations

import contextlib
import os
import struct
import sys
from typing import Any, Dict, Iterator, List, Optional

from drivers.agent.port import Port
from drivers.agent.step import MARKER
from drivers.agent.trace import tracefs
from drivers.agent.trace.drain import Drain
from drivers.agent.trace.enable import Sources
from drivers.agent.trace.request import label
from drivers.agent.trace.symbols import KernelSymbols, Modules

SUBBUF_KB = 64  # when the request does not say: an event that is larger than a sub-buffer vanishes uncounted


class Tracer:
    """One private tracefs instance; `recording()` arms it around a call."""

    def __init__(self, port: Port, root: Optional[str] = None) -> None:
        self.top = tracefs.Folder(tracefs.root() if root is None else root)
        self.instance = tracefs.own_instance(self.top)
        self.sources = Sources(self.top, self.instance)
        self.symbols = KernelSymbols()
        self.armed: Optional[Dict[str, Any]] = None  # the request that the instance is prepared for
        self.told = False  # whether the host knows what is prepared
        self.formats: Dict[str, str] = {}  # those that the host has got, by event
        self.modules = Modules()  # events and filters go with a module
        self.stale = True
        self._port = port
        self._made = False
        self._drain: Optional[Drain] = None
        self._files = contextlib.ExitStack()
        if self.top.path:
            tracefs.sweep(self.top)

    @contextlib.contextmanager
    def recording(self, wanted: Optional[Dict[str, Any]], ident: Any = None) -> Iterator[Dict[str, Any]]:
        """Arm the events of `wanted` ({"sources": […], "buffer_kb": n, "subbuf_kb": n}) around call `ident`.

        The mapping is filled at the end; pages that were full before go to the host in frames of their own. With None
        it does nothing.  A kernel without tracefs gives a recording whose events are all missing.
        """
        result: Dict[str, Any] = {}
        if wanted is None:
            yield result
            return
        try:
            if not self.top.path:
                raise OSError(0, "not mounted, or the kernel has none")
            self._prepare(wanted)
        except OSError as e:
            why = "tracefs: %s" % (e.strerror or e)
            yield result
            result.update(missing=dict.fromkeys(map(label, wanted["sources"]), why))
            return
        assert self._drain
        symbols = [self.symbols.new()] if self.sources.addresses else []
        for name in self.sources.histograms:
            self.sources.histogram(name, "clear")
            self.sources.histogram(name, "cont")
        before = self._drain.begin(ident)
        MARKER.file = self._marker
        os.pwrite(self._on, b"1", 0)
        try:
            yield result
        finally:
            os.pwrite(self._on, b"0", 0)
            MARKER.file = None
            for name in self.sources.histograms:
                self.sources.histogram(name, "pause")
            result.update(self._collect(before, symbols))

    def close(self) -> None:
        """Remove the instance and the probes."""
        self._disarm()
        if self._made:
            with contextlib.suppress(OSError):
                os.rmdir(self.instance.path)

    def _prepare(self, wanted: Dict[str, Any]) -> None:
        self.stale |= self.modules.changed()
        if self.armed == wanted and not self.stale:
            return
        self._disarm()
        if not self._made:
            os.mkdir(self.instance.path)
            self._made = True
            self.instance.write("tracing_on", "0")
            self.instance.write("trace_clock", "mono")
            with contextlib.suppress(OSError):  # the pid of a kprobe's task is enough without names
                self.instance.write("options/record-cmd", "1")
        with contextlib.suppress(OSError):  # before Linux 6.8 sub-buffers are a page
            self.instance.write("buffer_subbuf_size_kb", str(wanted.get("subbuf_kb", SUBBUF_KB)))
        self.instance.write("buffer_size_kb", str(wanted.get("buffer_kb", 2048)))
        self.sources.arm(wanted["sources"])
        self.instance.write("trace", "")
        self._on = self._open("tracing_on")
        self._marker = self._open("trace_marker")
        self._drain = Drain(self.instance, self._port, self._subbuf_size())
        self._files.callback(self._drain.close)
        self.armed, self.stale = wanted, False

    def _disarm(self) -> None:
        self._files.close()  # with a buffer's files open, its tracer cannot be changed
        self.sources.disarm()
        self.armed, self.told, self._drain = None, False, None

    def _open(self, name: str) -> int:
        fd = tracefs.own(os.open("%s/%s" % (self.instance.path, name), os.O_WRONLY))
        self._files.callback(os.close, fd)
        return fd

    def _collect(self, before: List[str], symbols: List[Dict[str, bytes]]) -> Dict[str, Any]:
        assert self._drain
        after, pages, moved = self._drain.finish()
        found: Dict[str, Any] = {"pages": pages, "stats_before": "\f".join(before), "stats_after": "\f".join(after)}
        if moved or pages:
            found["cmdlines"] = self.top.read("saved_cmdlines")
        if self.sources.histograms:
            found["histograms"] = {name: self.instance.read(folder + "/hist")
                                   for name, folder in self.sources.histograms.items()}
        if self.sources.addresses:
            found["symbols"] = [*symbols, self.symbols.new()]
        self.stale |= self.modules.changed()
        if not self.told or self.stale:
            found["prepared"] = self._told()
        return found

    def _told(self) -> Dict[str, Any]:
        """What the host needs to know once, while the same events stay prepared."""
        self.told = True
        return {
            "header_page": self.instance.read("events/header_page"),
            "subbuf_size": self._subbuf_size(),
            "long_size": struct.calcsize("l"),
            "big_endian": sys.byteorder == "big",
            "armed": self.sources.armed,
            "missing": self.sources.missing,
            "functions": self.sources.functions,
            "formats": self._formats(),
        }

    def _formats(self) -> Dict[str, str]:
        """The formats of the events that the host has not got, or got otherwise."""
        new = {}
        for event in self.sources.events:
            try:
                text = self.instance.read("events/%s/format" % event.replace(":", "/"))
            except OSError:
                continue  # the module was unloaded during the call; the host knows the format from before or not at all
            if self.formats.get(event) != text:
                self.formats[event] = new[event] = text
        return new

    def _subbuf_size(self) -> int:
        with contextlib.suppress(OSError):
            return int(self.instance.read("buffer_subbuf_size_kb")) * 1024
        return os.sysconf("SC_PAGE_SIZE")
