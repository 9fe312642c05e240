"""Addresses of the kernel's functions, for whoever reads a trace that names functions by address."""
from __future__ import annotations

import re
from typing import Dict

# Only code; `$a`, `$d` and the like mark ARM's kinds of code and are no functions.
LINE = re.compile(rb"^[0-9a-f]+ [tTwW] [^$\s]\S*(?:[ \t]+\[(\S+)\])?\n", re.M)


class KernelSymbols:
    """Lines of /proc/kallsyms, by module ("": the kernel proper), each told once while it stays the same."""

    def __init__(self) -> None:
        self.modules = b""  # /proc/modules as it was when the lines were read: a module that comes back has moved
        self.told: Dict[str, bytes] = {}

    def new(self) -> Dict[str, bytes]:
        """What changed since the last time: everything, at first."""
        modules = loaded_modules()
        if self.told and modules == self.modules:
            return {}
        found: Dict[str, bytes] = {}
        with open("/proc/kallsyms", "rb") as f:
            text = f.read()
        parts: Dict[bytes, list] = {}  # type: ignore[type-arg]  # list[bytes] needs Python 3.9 at run time
        for match in LINE.finditer(text):
            parts.setdefault(match.group(1) or b"", []).append(match.group())
        for module, lines in parts.items():
            name, joined = module.decode(), b"".join(lines)
            if self.told.get(name) != joined:
                self.told[name] = found[name] = joined
        self.modules = modules
        return found


def loaded_modules() -> bytes:
    """Which modules are loaded, and where."""
    with open("/proc/modules", "rb") as f:
        return b"".join(sorted(_where(line) for line in f))


def _where(line: bytes) -> bytes:
    """Name and address of one line of /proc/modules: the reference count does not matter."""
    words = line.split()
    return words[0] + b" " + words[5] + b"\n" if len(words) > 5 else line
