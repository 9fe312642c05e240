"""Kernel fragments: the `kernel.config` of every folder, merged, and checked against the resulting .config.

A line is `CONFIG_NAME=value`; `=n` means off.  Comments and empty lines are free.
"""
from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import SetupError

_LINE = re.compile(r'(CONFIG_[A-Za-z0-9_]+)=([ymn]|-?[0-9]+|0x[0-9a-fA-F]+|"[^"]*")')
_FOLDERS = ("boards", "drivers", "fixtures")


@dataclass(frozen=True)
class Option:
    """One line of a fragment."""

    name: str
    value: str
    where: str  # file:line


def find(*roots: Path) -> list[Path]:
    """Return every kernel.config under boards/, drivers/ and fixtures/ of each root, sorted."""
    return [path for root in roots for path in sorted(p for f in _FOLDERS for p in (root / f).rglob("kernel.config"))]


def read(files: Iterable[Path], project: Path) -> dict[str, Option]:
    """Return the options of all files by name.

    Raises SetupError, naming file:line, for a line of another form and for two lines that contradict each other.
    """
    options: dict[str, Option] = {}
    for path in files:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            text = line.split("#", 1)[0].strip()
            if not text:
                continue
            where = f"{path.relative_to(project) if path.is_relative_to(project) else path}:{number}"
            match = _LINE.fullmatch(text)
            if match is None:
                raise SetupError(f"{where}: {text!r}: expected CONFIG_NAME=value")
            option = Option(match[1], match[2], where)
            other = options.setdefault(option.name, option)
            if other.value != option.value:
                raise SetupError(f"{where}: {text} contradicts {other.name}={other.value} of {other.where}; "
                                 f"make one of them agree")
    return options


def merged(options: dict[str, Option]) -> str:
    """Return the options as one fragment, sorted by name: the same for the same options, regardless of their files."""
    return "".join(f"{name}={options[name].value}\n" for name in sorted(options))


def verify(options: dict[str, Option], config: Path) -> None:
    """Check that a kernel's .config has every option as asked.

    Raises SetupError that names file:line of each line that is not met.
    """
    lines = config.read_text().splitlines()
    got = dict(line.split("=", 1) for line in lines if line.startswith("CONFIG_"))
    unmet = [f"{o.where}: {o.name}={o.value} is not met, the kernel has {o.name}={got.get(o.name, 'n')}"
             for o in options.values() if got.get(o.name, "n") != o.value]
    if unmet:
        raise SetupError("\n".join([*unmet, "a dependency is missing or the name is unknown: see its Kconfig entry, "
                                            "add what it depends on or take the line out"]))
