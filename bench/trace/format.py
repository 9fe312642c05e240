"""Format files of tracefs: `events/SYSTEM/EVENT/format` and `events/header_page`.

Ref: Documentation/trace/events.rst; include/trace/stages/stage4_event_fields.h
"""
from __future__ import annotations

import dataclasses
import functools
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bench.errors import RecordError

# Every record of a typed array starts with the recorder's own columns; the event's raw bytes follow.
HEAD = 16
RESERVED = ("ts", "cpu", "pid", "row")
# The kernel rounds sub-buffers up to whole pages, at most 2^MAX_ORDER of them; a larger size is invalid.
LARGEST_SUBBUF = 1 << 24
LARGEST_FIELD = 1 << 20
_FIELD = re.compile(
    r"^[ \t]*field(?P<special>[ \t]+special)?:(?P<decl>[^;\n]+);[ \t]*offset:(?P<offset>\d{1,9});[ \t]*"
    r"size:(?P<size>\d{1,9});(?:[ \t]*signed:(?P<signed>\d);)?", re.M | re.A)
_ELEMENT_SIZES = {"char": 1, "u8": 1, "s8": 1, "bool": 1, "u16": 2, "s16": 2, "short": 2, "u32": 4, "s32": 4,
                  "int": 4, "u64": 8, "s64": 8, "long long": 8}


@dataclass(frozen=True)
class Field:
    """One field as the format file declares it.

    `kind` is `int`, `char` (a `char[N]` string), `array`, `data_loc`, `rel_loc` or `tail` (what follows the rest).
    """

    name: str
    decl: str
    offset: int
    size: int
    signed: bool
    kind: str
    count: int = 1
    element: int = 1

    @property
    def variable(self) -> bool:
        """True when the bytes lie outside the fixed part of the record."""
        return self.kind in ("data_loc", "rel_loc", "tail")

    @property
    def text(self) -> bool:
        """True for strings: `char` but not `u8` or `unsigned char`."""
        words = set(re.sub(r"[\[\]*]", " ", self.decl).split())
        return "char" in words and not words & {"unsigned", "signed"} and self.kind not in ("int", "array")

    def dtype(self, order: str) -> Any:
        """The numpy type of the field's place in the record, `order` being '<' or '>'."""
        if self.kind in ("data_loc", "rel_loc"):
            return f"{order}u4"
        if self.kind == "char":
            return f"S{self.size}"
        base = f"{order}{'i' if self.signed else 'u'}{self.element}"
        return (base, (self.count,)) if self.kind == "array" else base


@dataclass(frozen=True)
class EventFormat:
    """One event type: its name, its id of this boot, and its fields in the order of the file."""

    system: str
    name: str
    id: int
    fields: tuple[Field, ...]
    print_fmt: str
    source: str

    @property
    def full_name(self) -> str:
        """`system:name`."""
        return f"{self.system}:{self.name}"

    @cached_property
    def size(self) -> int:
        """Bytes of the fixed part, the common fields included."""
        return max((f.offset + f.size for f in self.fields if f.kind != "tail"), default=0)

    @cached_property
    def addresses(self) -> tuple[str, ...]:
        """The columns that `print fmt` prints as a function's name: `%ps` and its like."""
        text = re.match(r'"((?:[^"\\]|\\.)*)"(.*)', self.print_fmt, re.S)
        if text is None:
            return ()
        kinds = re.findall(r"%(?:%|[-+ #0]*\d*(?:\.\d+)?(?:hh|h|ll|l|z)?(p[sSfFB]?|[a-zA-Z]))", text[1])
        named = (re.search(r"REC->(\w+)", argument) for argument in _arguments(text[2]))
        names = (field[1] for kind, field in zip(filter(None, kinds), named, strict=False) if kind[1:] and field)
        return tuple(shown_name(name) for name in names if any(f.name == name and f.kind == "int" for f in self.fields))

    def field(self, name: str) -> Field | None:
        """The declared field that a typed array shows as `name`, or None."""
        return next((f for f in self.fields if shown_name(f.name) == name), None)

    def dtype(self, order: str) -> np.dtype[Any]:
        """The record type of a typed array: ts [ns], cpu, pid, the other common and declared fields, row.

        `row` is the event's number in the recording; `ts`, `cpu` and `row` are in this machine's byte order.
        """
        columns: list[tuple[str, Any, int]] = [("ts", "=u8", 0), ("cpu", "=u4", 8), ("row", "=u4", 12)]
        shown = [f for f in self.fields if f.kind != "tail" and f.name != "common_type"]
        for f in sorted(shown, key=lambda f: f.name != "common_pid"):  # stable: pid first, the rest as in the file
            name = "pid" if f.name == "common_pid" else shown_name(f.name)
            columns.append((name, f.dtype(order), HEAD + f.offset))
        columns.append(columns.pop(2))
        names, formats, offsets = (list(column) for column in zip(*columns, strict=True))
        return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": HEAD + self.size})


def shown_name(field: str) -> str:
    """The column of a declared field: its own name, with a `_` after it when the recorder's columns have that name."""
    return f"{field}_" if field in RESERVED else field


def _arguments(text: str) -> list[str]:
    """What follows a print format, split at the commas outside brackets."""
    arguments, depth = [""], 0
    for letter in text.lstrip(", "):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and not depth:
            arguments.append("")
        else:
            arguments[-1] += letter
    return arguments


def _field(match: re.Match[str]) -> Field:
    decl = " ".join(match["decl"].split())
    offset, size = int(match["offset"]), int(match["size"])
    signed = match["signed"] == "1"
    if offset > LARGEST_FIELD or size > LARGEST_FIELD:
        raise ValueError(f"field {decl!r} claims offset {offset} and size {size}")
    loc = re.match(r"__(data|rel)_loc\s", decl)
    if loc:
        if size != 4:
            raise ValueError(f"field {decl!r} has size {size}, a location has 4")
        return Field(_name(decl), decl, offset, size, signed, f"{loc[1]}_loc")
    array = re.search(r"\[([^\]]*)\]\s*$", decl)
    name = _name(re.sub(r"\[[^\]]*\]\s*$", "", decl))
    if array is None:
        if size not in (1, 2, 4, 8):  # a struct or a kernel type wider than any integer: kept as bytes
            return Field(name, decl, offset, size, False, "array" if size else "tail", size or 1)
        return Field(name, decl, offset, size, signed, "int", element=size)
    if size == 0:
        return Field(name, decl, offset, 0, signed, "tail")
    type_name = decl[:decl.rindex(name)].strip()
    if re.fullmatch(r"(const )?char", type_name):
        return Field(name, decl, offset, size, signed, "char")
    element = _element(type_name, array[1].strip(), size)
    return Field(name, decl, offset, size, signed, "array", size // element, element)


def _element(type_name: str, length: str, size: int) -> int:
    """Bytes of one element: from the declared length when it is a number, else from the type's name, else 1."""
    if length.isdigit() and int(length) and size % int(length) == 0 and size // int(length) in (1, 2, 4, 8):
        return size // int(length)
    element = _ELEMENT_SIZES.get(type_name.replace("unsigned ", "").replace("__", ""), 1)
    return element if size % element == 0 else 1


def _name(decl: str) -> str:
    return decl.replace("*", " ").split()[-1]


@functools.lru_cache(maxsize=4096)  # every recording of a boot brings the same ones
def parse_format(text: str, name: str) -> EventFormat:
    """Read one format file; `name` is `system:event` and is used for the system and for messages.

    Raises RecordError when the file has no id or no common fields, or when its fields are invalid.
    """
    system, _, event = name.partition(":")
    unread = next((line for line in re.findall(r"^[ \t]*field\b.*", text, re.M) if not _FIELD.match(line)), None)
    if unread is not None:
        raise RecordError(f"format of {name}: {' '.join(unread.split())[:80]!r} is no 'field:…; offset:…; size:…;'")
    number = re.search(r"^ID:[ \t]*(\d{1,5})[ \t]*$", text, re.M | re.A)
    if number is None or int(number[1]) > 0xFFFF:
        raise RecordError(f"format of {name}: no line 'ID: number' with a number below 65536")
    try:
        fields = tuple(_field(match) for match in _FIELD.finditer(text))
    except (ValueError, IndexError) as error:
        raise RecordError(f"format of {name}: {error}") from error
    if name == "ftrace:kernel_stack":  # declared with 8 callers, recorded with as many as `size` says
        fields = tuple(dataclasses.replace(f, kind="tail", size=0) if f.name == "caller" else f for f in fields)
    declared = [f.name for f in fields]
    if fields[:1] and (fields[0].name, fields[0].offset, fields[0].size) != ("common_type", 0, 2):
        raise RecordError(f"format of {name}: common_type is not a 16-bit field at offset 0")
    if not any(f.name == "common_pid" and f.kind == "int" for f in fields):
        raise RecordError(f"format of {name}: no field common_pid that is a number")
    twice = [n for n, count in Counter(shown_name(n) for n in declared).items() if count > 1]
    if twice:
        raise RecordError(f"format of {name}: field {twice[0]!r} is declared twice")
    named = re.search(r"^name:\s*(\S+)", text, re.M)
    printed = re.search(r"^print fmt:\s*(.*)", text, re.M | re.S)
    return EventFormat(system, event or (named[1] if named else ""), int(number[1]), fields,
                       printed[1].strip() if printed else "", text)


@dataclass(frozen=True)
class Layout:
    """How a sub-buffer is laid out: sizes in bytes."""

    subbuf_size: int
    data_offset: int
    commit_size: int
    big_endian: bool

    @property
    def order(self) -> str:
        """numpy's sign for the byte order."""
        return ">" if self.big_endian else "<"


def parse_header_page(text: str, *, long_size: int, big_endian: bool, subbuf_size: int = 0) -> Layout:
    """Layout from `events/header_page`; the recorder's `subbuf_size` wins over the file's own data size.

    The file of the top instance keeps the size of its own sub-buffers, whatever the private instance uses. An empty
    text means the layout that `long_size` implies.
    """
    fields = {_name(m["decl"]): (int(m["offset"]), int(m["size"])) for m in _FIELD.finditer(text) if m["decl"].strip()}
    commit_size = fields.get("commit", (8, long_size))[1]
    data_offset, data_size = fields.get("data", (8 + long_size, 4096 - 8 - long_size))
    size = subbuf_size or data_offset + data_size
    if commit_size not in (4, 8) or fields.get("commit", (8, 0))[0] != 8:
        raise RecordError(f"header_page: commit of {commit_size} bytes at {fields['commit'][0]}, expected 4 or 8 at 8")
    if data_offset < 8 + commit_size or data_offset % 4 or data_offset > 64:
        raise RecordError(f"header_page: data at offset {data_offset}")
    if size % 4 or not data_offset < size <= LARGEST_SUBBUF:
        raise RecordError(f"header_page: sub-buffers of {size} bytes with data at offset {data_offset}")
    return Layout(size, data_offset, commit_size, big_endian)
