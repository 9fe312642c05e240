"""YAML as sections that know where each key stands: every mistake is `file:line: key: what was expected`."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from bench.errors import BoardError

T = TypeVar("T")


def read(path: Path) -> Section:
    """The file's top mapping.  Raises BoardError with file:line when it is none, or no YAML at all."""
    try:
        data = YAML(typ="rt").load(path.read_text("utf-8"))
    except MarkedYAMLError as e:
        line = e.problem_mark.line + 1 if e.problem_mark else 1
        raise BoardError(f"{path}:{line}: not YAML: {e.problem}") from e
    except UnicodeDecodeError as e:
        raise BoardError(f"{path}:1: not UTF-8 text: byte {e.start}") from e
    return Section(path, data, "", 1)


class Section:
    """A mapping that knows where each of its keys stands, and that every key has been asked for."""

    def __init__(self, path: Path, data: Any, where: str, line: int) -> None:
        self.path, self.where, self.line = path, where, line
        if not isinstance(data, CommentedMap):
            raise BoardError(f"{path}:{line}: {where or 'top'}: expected a mapping of key: value")
        self.data = data
        self.left = {str(k) for k in data}

    def line_of(self, key: str) -> int:
        position = self.data.lc.data.get(key) if self.data.lc.data else None
        return int(position[0]) + 1 if position else self.line

    def error(self, key: str, expected: str) -> BoardError:
        dotted = f"{self.where}.{key}" if self.where else key
        return BoardError(f"{self.path}:{self.line_of(key)}: {dotted}: {expected}")

    def take(self, key: str, kind: type[T], what: str, default: T | None = None, required: bool = False) -> T | None:
        """The value of `key`, checked to be of `kind`; `what` says in words what was expected."""
        self.left.discard(key)
        if key not in self.data:
            if required:
                raise self.error(key, f"missing; expected {what}")
            return default
        value = self.data[key]
        if (isinstance(value, bool) and kind is not bool) or not isinstance(value, kind):
            raise self.error(key, f"expected {what}, found {value!r}")
        return value

    def text(self, key: str, what: str) -> str:
        value = self.take(key, str, what, required=True)
        assert value is not None
        return value

    def section(self, key: str) -> Section | None:
        self.left.discard(key)
        if key not in self.data:
            return None
        dotted = f"{self.where}.{key}" if self.where else key
        return Section(self.path, self.data[key], dotted, self.line_of(key))

    def words(self, key: str, what: str) -> tuple[str, ...]:
        value = self.take(key, list, f"a list of {what}", default=[]) or []
        if not all(isinstance(v, str) for v in value):
            raise self.error(key, f"expected a list of {what}, found {list(value)!r}")
        return tuple(value)

    def items(self, key: str, what: str) -> Iterator[Section]:
        """The mappings in the list `key`; `what` says in words what one is."""
        entries = self.take(key, list, f"a list of {what}", default=[]) or []
        dotted = f"{self.where}.{key}" if self.where else key
        for i, entry in enumerate(entries):
            line = int(entries.lc.item(i)[0]) + 1 if isinstance(entries, CommentedSeq) else self.line_of(key)
            yield Section(self.path, entry, f"{dotted}[{i}]", line)

    def done(self, known: str) -> None:
        for key in sorted(self.left):
            raise self.error(key, f"unknown key; expected one of {known}")
