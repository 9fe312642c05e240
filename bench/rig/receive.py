"""Assemble a Recording from the tracer's messages: some come once per boot, the rest with each call."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.rig.spool import Spool
from bench.trace.recording import Recording, parse_cmdlines


class Receiver:
    """Caches, for one boot, what the tracer sends only on changes: layout, formats, functions' addresses."""

    def __init__(self) -> None:
        self._prepared: dict[str, Any] = {}
        self._formats: dict[str, str] = {}
        self._symbols: dict[str, bytes] = {}  # lines of /proc/kallsyms by module

    def recording(self, raw: Mapping[str, Any], name: str, spool: Spool, began_ns: int | None,
                  ended_ns: int | None) -> Recording:
        """The recording of one call; pages that came before its reply are in `spool`."""
        if "pages" not in raw:
            return Recording((), {}, missing=raw["missing"], armed=(), name=name)
        if "prepared" in raw:
            self._prepared = raw["prepared"]
            self._formats.update(self._prepared["formats"])
        prepared, after = self._prepared, raw["stats_after"].split("\f")
        formats = {event: self._formats[event] for event in prepared["armed"] if event in self._formats}
        rest = [raw["pages"].get(str(number), b"") for number in range(len(after))]
        return Recording(
            spool.pages(rest, prepared["subbuf_size"]), formats, header_page=prepared["header_page"],
            long_size=prepared["long_size"], big_endian=prepared["big_endian"], subbuf_size=prepared["subbuf_size"],
            stats_before=raw["stats_before"].split("\f"), stats_after=after,
            cmdlines=parse_cmdlines(raw.get("cmdlines", "")), missing=prepared["missing"], armed=prepared["armed"],
            functions=prepared["functions"], histograms=raw.get("histograms", {}),
            kallsyms=self._kallsyms(raw.get("symbols", ())), began_ns=began_ns, ended_ns=ended_ns, name=name)

    def _kallsyms(self, symbols: Sequence[Mapping[str, bytes]]) -> str:
        """Lines of /proc/kallsyms for one recording: a module that was reloaded while it ran is in it twice."""
        if not symbols:
            return ""
        lines: list[bytes] = []
        for number, changed in enumerate(symbols):
            self._symbols.update(changed)
            lines += self._symbols.values() if number == 0 else changed.values()
        return b"".join(lines).decode("ascii", "replace")
