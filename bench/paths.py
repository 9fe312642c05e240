"""Where boards, exercisers and chips are: in the bench's own folders, and in repositories outside.

Importing this module makes the bench's own packages `drivers` and `fixtures` importable. An installed bench keeps them
under a prefix, bench/_shipped, and off sys.path until then: other distributions have packages of these names.
`extend()` adds what is outside: the folders listed in BENCH_PATH, and by `[tool.bench] paths` in the pyproject.toml of
the current folder or the nearest one above it that has such a table.
"""
from __future__ import annotations

import importlib
import os
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.errors import UsageError

VARIABLE = "BENCH_PATH"
PACKAGES = ("drivers", "fixtures")
KINDS = ("boards", "drivers", "fixtures/chips")  # a folder in one of these is a board, an exerciser, a chip
_PREFIX = Path(__file__).resolve().parent / "_shipped"
HOME = _PREFIX if _PREFIX.is_dir() else _PREFIX.parents[1]


def roots() -> tuple[Path, ...]:
    """Every folder that holds boards/, drivers/ or fixtures/: the bench's own, then those outside."""
    return HOME, *outside()


def outside() -> tuple[Path, ...]:
    """The folders outside.  Raises UsageError for one that is not there or holds nothing for a bench."""
    found: dict[Path, None] = {}
    for path, source in (*_of_variable(), *_of_project(Path.cwd())):
        if not path.is_dir():
            raise UsageError(f"{source}: no folder {path}")
        if not any((path / kind).is_dir() for kind in KINDS):
            raise UsageError(f"{source}: {path} has none of the folders {', '.join(KINDS)}")
        if path != HOME:
            found[path] = None
    return tuple(found)


def extend() -> None:
    """Make exercisers and chips outside importable, as drivers.<name> and fixtures.chips.<name>.

    Raises UsageError for a name that two of the folders have.
    """
    everywhere = roots()
    for kind in KINDS:
        _refuse_two_of_one_name(everywhere, kind)
    for root in everywhere:
        if (root / "drivers").is_dir() and not (root / "drivers/__init__.py").is_file():
            raise UsageError(f"{root}/drivers/__init__.py is missing: without it the checks in that folder "
                             f"are no part of the package drivers")
    for kind in KINDS[1:]:
        folders = [str(root / kind) for root in everywhere if root == HOME or (root / kind).is_dir()]
        name = kind.replace("/", ".")
        if len(folders) > 1 or name in sys.modules:  # a command that needs no chip must not load them for nothing
            importlib.import_module(name).__path__[:] = folders


def root_of(path: Path) -> Path | None:
    """The folder of `roots()` in which `path` lies."""
    return next((root for root in roots() if path.is_relative_to(root)), None)


def _of_variable() -> Iterator[tuple[Path, str]]:
    for entry in os.environ.get(VARIABLE, "").split(os.pathsep):
        if entry:
            yield Path(entry).resolve(), VARIABLE


def _of_project(folder: Path) -> Iterator[tuple[Path, str]]:
    """What the nearest pyproject.toml with a `[tool.bench]` table lists, relative to that file."""
    for above in (folder, *folder.parents):
        file = above / "pyproject.toml"
        table = _table(file) if file.is_file() else None
        if table is None:
            continue
        for key in table:
            if key != "paths":
                raise UsageError(f"{file}: tool.bench: {UsageError.unknown('key', key, ['paths'])}")
        value = table.get("paths", [])
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise UsageError(f"{file}: tool.bench.paths: expected a list of folders, found {value!r}")
        yield from (((above / entry).resolve(), f"{file}: tool.bench.paths") for entry in value)
        return


def _table(file: Path) -> dict[str, Any] | None:
    try:
        table = tomllib.loads(file.read_text("utf-8")).get("tool", {}).get("bench")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: not TOML: {error}") from error
    if table is not None and not isinstance(table, dict):
        raise UsageError(f"{file}: tool.bench: expected a table, found {table!r}")
    return table


def _refuse_two_of_one_name(everywhere: tuple[Path, ...], kind: str) -> None:
    owners: dict[str, Path] = {}
    for root in everywhere:
        for folder in sorted((root / kind).iterdir()) if (root / kind).is_dir() else ():
            if not folder.is_dir() or folder.is_symlink() or folder.name.startswith(("_", ".")):
                continue
            owner = owners.setdefault(folder.name, folder)
            if owner != folder:
                raise UsageError(f"{folder}: {owner} has that name already; rename the new one")


def _make_importable() -> None:
    """Put HOME first on sys.path.  Raises UsageError when another package of one of the names was imported before."""
    for name in PACKAGES:
        module = sys.modules.get(name)
        folders = [os.path.realpath(entry) for entry in getattr(module, "__path__", ())]
        if module is not None and str(HOME / name) not in folders:
            raise UsageError(f"another package {name!r} ({', '.join(folders) or module}) is imported already; the "
                             f"bench has its own of that name: import bench.paths first, or use a process of its own")
    sys.path[:] = [str(HOME), *(entry for entry in sys.path if entry != str(HOME))]  # before the current folder


_make_importable()
