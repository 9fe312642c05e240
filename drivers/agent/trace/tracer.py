"""Record the kernel's events during a call: a private tracefs instance, binary pages, no text.

The instance and its events stay enabled from call to call while the request is the same: enabling
events takes far longer than switching tracing_on. Ref: Documentation/trace/ftrace.rst
"""
from __future__ import annotations

import contextlib
import os
import struct
import sys
from collections.abc import Iterator

from drivers.agent.port import Port
from drivers.agent.step import MARKER
from drivers.agent.trace import tracefs
from drivers.agent.trace.drain import Drain
from drivers.agent.trace.enable import Sources
from drivers.agent.trace.request import TraceRequest, label
from drivers.agent.trace.symbols import KernelSymbols, Modules

SUBBUF_KB = 64  # default: an event that is larger than a sub-buffer is lost uncounted


class Tracer:
    """One private tracefs instance; `recording()` records during a call."""

    def __init__(self, port: Port, root: str | None = None) -> None:
        self.top = tracefs.Folder(tracefs.root() if root is None else root)
        self.instance = tracefs.own_instance(self.top)
        self.sources = Sources(self.top, self.instance)
        self.symbols = KernelSymbols()
        self.prepared: TraceRequest | None = None  # the request that the instance is prepared for
        self.described = False  # whether the host has the description of what is prepared
        self.formats: dict[str, str] = {}  # by event, those that the host has
        self.modules = Modules()  # events and filters go with a module
        self.stale = True
        self._port = port
        self._created = False
        self._drain: Drain | None = None
        self._files = contextlib.ExitStack()
        if self.top.path:
            tracefs.sweep(self.top)

    @contextlib.contextmanager
    def recording(self, wanted: TraceRequest | None, ident: int = 0) -> Iterator[dict[str, object]]:
        """Record the events of `wanted` during call `ident`.

        The mapping is filled at the end; pages that are full before go to the host in
        frames of their own. None records nothing. A kernel without tracefs gives a
        recording whose events are all missing.
        """
        result: dict[str, object] = {}
        if wanted is None:
            yield result
            return
        try:
            if not self.top.path:
                raise OSError(0, "not mounted, or the kernel has none")
            self._prepare(wanted)
        except OSError as e:
            why = f"tracefs: {e.strerror or e}"
            yield result
            result.update(missing=dict.fromkeys(map(label, wanted["sources"]), why))
            return
        assert self._drain
        symbols = [self.symbols.changed()] if self.sources.addresses else []
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
        self._reset()
        if self._created:
            with contextlib.suppress(OSError):
                os.rmdir(self.instance.path)

    def _prepare(self, wanted: TraceRequest) -> None:
        self.stale |= self.modules.changed()
        if self.prepared == wanted and not self.stale:
            return
        self._reset()
        if not self._created:
            os.mkdir(self.instance.path)
            self._created = True
            self.instance.write("tracing_on", "0")
            self.instance.write("trace_clock", "mono")
            with contextlib.suppress(OSError):  # the pid of a kprobe's task is enough without names
                self.instance.write("options/record-cmd", "1")
        with contextlib.suppress(OSError):  # before Linux 6.8 sub-buffers are a page
            self.instance.write("buffer_subbuf_size_kb", str(wanted.get("subbuf_kb", SUBBUF_KB)))
        self.instance.write("buffer_size_kb", str(wanted.get("buffer_kb", 2048)))
        self.sources.enable(wanted["sources"])
        self.instance.write("trace", "")
        self._on = self._open("tracing_on")
        self._marker = self._open("trace_marker")
        self._drain = Drain(self.instance, self._port, self._subbuf_size())
        self._files.callback(self._drain.close)
        self.prepared, self.stale = wanted, False

    def _reset(self) -> None:
        self._files.close()  # with a buffer's files open, its tracer cannot be changed
        self.sources.disable()
        self.prepared, self.described, self._drain = None, False, None

    def _open(self, name: str) -> int:
        fd = tracefs.own(os.open(f"{self.instance.path}/{name}", os.O_WRONLY))
        self._files.callback(os.close, fd)
        return fd

    def _collect(self, before: list[str], symbols: list[dict[str, bytes]]) -> dict[str, object]:
        assert self._drain
        after, pages, moved = self._drain.finish()
        recorded: dict[str, object] = {
            "pages": pages,
            "stats_before": "\f".join(before),
            "stats_after": "\f".join(after),
        }
        if moved or pages:
            recorded["cmdlines"] = self.top.read("saved_cmdlines")
        if self.sources.histograms:
            recorded["histograms"] = {
                name: self.instance.read(folder + "/hist")
                for name, folder in self.sources.histograms.items()
            }
        if self.sources.addresses:
            recorded["symbols"] = [*symbols, self.symbols.changed()]
        self.stale |= self.modules.changed()
        if not self.described or self.stale:
            recorded["prepared"] = self._description()
        return recorded

    def _description(self) -> dict[str, object]:
        """What the host needs once, while the same events stay enabled."""
        self.described = True
        return {
            "header_page": self.instance.read("events/header_page"),
            "subbuf_size": self._subbuf_size(),
            "long_size": struct.calcsize("l"),
            "big_endian": sys.byteorder == "big",
            "armed": self.sources.enabled,
            "missing": self.sources.missing,
            "functions": self.sources.functions,
            "formats": self._formats(),
        }

    def _formats(self) -> dict[str, str]:
        """The formats that the host does not have, or that have changed."""
        new = {}
        for event in self.sources.events:
            try:
                text = self.instance.read("events/{}/format".format(event.replace(":", "/")))
            except OSError:
                # The module was unloaded during the call; the host knows the format
                # from before or not at all
                continue
            if self.formats.get(event) != text:
                self.formats[event] = new[event] = text
        return new

    def _subbuf_size(self) -> int:
        with contextlib.suppress(OSError):
            return int(self.instance.read("buffer_subbuf_size_kb")) * 1024
        return os.sysconf("SC_PAGE_SIZE")
