"""Addresses of the kernel's functions, for traces that name functions by address."""
from __future__ import annotations

import os
import re

from drivers.agent.trace.tracefs import own

# Code only; `$a`, `$d` and the like mark ARM's kinds of code and are no functions.
LINE = re.compile(rb"^[0-9a-f]+ [tTwW] [^$\s]\S*(?:[ \t]+\[(\S+)\])?\n", re.M)


class Modules:
    """Which modules are loaded, and where: `changed()` is cheap, it is called around every call."""

    def __init__(self) -> None:
        # A kernel without modules has no such file, and nothing changes there.
        self._file = own(
            os.open("/proc/modules" if os.path.exists("/proc/modules") else os.devnull, os.O_RDONLY)
        )
        self._text, self._where = b"-", [b"-"]  # at first, everything is new

    def changed(self) -> bool:
        """Whether a module was loaded or unloaded since the last call."""
        text = os.pread(self._file, 1 << 13, 0)
        if text == self._text:
            return False  # modules are listed newest first: a new one is at the front
        while True:
            part = os.pread(self._file, 1 << 16, len(text))
            if not part:
                break
            text += part
        before, self._text, self._where = (
            self._where,
            text,
            sorted(_where(line) for line in text.splitlines()),
        )
        return self._where != before


class KernelSymbols:
    """Lines of /proc/kallsyms, by module ("": the kernel proper), each sent once
    while it stays the same.
    """

    def __init__(self) -> None:
        self._modules: list[
            bytes
        ] = []  # as they were when the lines were read: one that comes back has moved
        self.sent: dict[str, bytes] = {}

    def changed(self) -> dict[str, bytes]:
        """The lines that changed since the last call; everything, at first."""
        try:
            with open("/proc/modules", "rb") as f:
                modules = sorted(_where(line) for line in f)
        except FileNotFoundError:
            modules = []  # a kernel without modules
        if self.sent and modules == self._modules:
            return {}
        changed: dict[str, bytes] = {}
        with open("/proc/kallsyms", "rb") as f:
            text = f.read()
        parts: dict[bytes, list[bytes]] = {}
        for match in LINE.finditer(text):
            parts.setdefault(match.group(1) or b"", []).append(match.group())
        for module, lines in parts.items():
            name, joined = module.decode(), b"".join(lines)
            if self.sent.get(name) != joined:
                self.sent[name] = changed[name] = joined
        self._modules = modules
        return changed


def _where(line: bytes) -> bytes:
    """Name and address of one line of /proc/modules: the reference count does not matter."""
    words = line.split()
    return words[0] + b" " + words[5] if len(words) > 5 else line
