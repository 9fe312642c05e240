"""A record's folder on disk.

    record.jsonl   first line the run, one line a check, last line the end; each is on the disk before the next check
    traces/*.dat   the trace of each call that recorded one
    wire/*.pcap    what crossed the cable
    files/         what checks kept: pictures, figures
    junit.xml, report.html
"""
from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from bench.errors import RecordError
from bench.store import renamed
from bench.store.codec import pack, to_json, typed, unpack
from bench.store.model import CheckRecord, RunInfo

VERSION = 1
NAME = "record.jsonl"


@dataclass(frozen=True)
class Record:
    """What was read from a record's folder; `complete` is False when the run was cut off before its end."""

    folder: Path
    run: RunInfo
    checks: tuple[CheckRecord, ...] = ()
    complete: bool = True
    notes: tuple[str, ...] = ()
    summary: dict[str, Any] = field(default_factory=dict)


class Writer:
    """Writes a record, line by line, each durable before its method returns.

    `folder` is made with mode 0700 (and `traces`, `wire`, `files` in it); it must not hold a record already.
    With `join`, the record is one that another process has begun: any number of them write to it at once.
    """

    def __init__(self, folder: Path, join: bool = False) -> None:
        self.folder = Path(folder)
        if not join:
            self._make_folders()
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | (0 if join else os.O_CREAT | os.O_EXCL)
        try:
            handle = os.open(self.folder / NAME, flags, 0o600)
        except FileExistsError:
            raise RecordError(f"{self.folder / NAME}: already holds a record; choose another folder") from None
        except FileNotFoundError:
            raise RecordError(f"{self.folder / NAME}: there is no record to join") from None
        self._file: BinaryIO | None = os.fdopen(handle, "wb", buffering=0)
        if not join:
            _sync_folder(self.folder)

    @property
    def started(self) -> bool:
        """Whether the run's line is there, whoever wrote it."""
        return (self.folder / NAME).stat().st_size > 0

    def start(self, run: RunInfo) -> None:
        """Write the first line, before the first check; does nothing when another process has written it already."""
        self._line({"kind": "run", "version": VERSION, **to_json(run)}, only_first=True)

    def add(self, check: CheckRecord) -> None:
        """Write one check; it is on the disk when this returns."""
        if not self.started:
            raise RecordError(f"{self.folder / NAME}: a check came before the run's line")
        self._line({"kind": "check", **to_json(check)})

    def close(self, summary: dict[str, Any] | None = None) -> None:
        """Write the last line and close the file; a second call does nothing.

        `summary` None means that the run did not come to its end: the line is left out, and reading says so.
        """
        if self._file is None:
            return
        try:
            if summary is not None:
                self._line({"kind": "end", "summary": pack(summary)})
        finally:
            self._file.close()
            self._file = None

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _make_folders(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        for name in ("traces", "wire", "files"):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)

    def _line(self, value: dict[str, Any], only_first: bool = False) -> None:
        if self._file is None:
            raise RecordError(f"{self.folder / NAME}: the record is closed")
        data = memoryview(json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            if only_first and self.started:
                return
            self._cut_torn_line()
            while data:  # an unbuffered write may be short
                data = data[self._file.write(data):]
            os.fsync(self._file.fileno())
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)


    def _cut_torn_line(self) -> None:
        """Leave out what a writer that was killed in the middle of a line left behind."""
        assert self._file
        handle = self._file.fileno()
        size = end = os.fstat(handle).st_size
        while end and os.pread(handle, 1, end - 1) != b"\n":
            end = max(0, end - 1)
        if end != size:
            os.ftruncate(handle, end)


def rewrite(record: Record) -> None:
    """Rewrite all lines of a record, with what was found out later; the old ones stay until the new are durable."""
    if not record.complete:
        raise RecordError(f"{record.folder / NAME}: the run was cut off; only a whole record can be added to")
    lines = [{"kind": "run", "version": VERSION, **to_json(record.run)},
             *({"kind": "check", **to_json(check)} for check in record.checks),
             {"kind": "end", "summary": pack(record.summary)}]
    aside = record.folder / f".{NAME}.part"
    with aside.open("wb") as file:
        for one in lines:
            file.write(json.dumps(one, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, record.folder / NAME)
    _sync_folder(record.folder)


def _sync_folder(folder: Path) -> None:
    # A new file's name is on the disk only when its folder is.
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(folder: Path) -> Record:
    """Read a record, in today's names (see bench.store.renamed).

    A cut last line is left out and noted; anything else that is wrong is a RecordError file:line: reason.
    """
    folder = Path(folder)
    path = folder / NAME if folder.is_dir() else folder
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}; a record is a folder with {NAME} in it") from None
    tail = lines.pop()  # empty when the last line is whole
    run: RunInfo | None = None
    checks: list[CheckRecord] = []
    notes: list[str] = []
    summary: dict[str, Any] | None = None
    for number, line in enumerate(lines, start=1):
        try:
            kind, value = _parse(line)
            if (number == 1) != (kind == "run"):
                raise ValueError("expected the run's line first, and only there")
            if summary is not None:
                raise ValueError("there is a line after the end")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RecordError(f"{path}:{number}: {error}") from None
        if kind == "run":
            run = value
        elif kind == "check":
            checks.append(value)
        else:
            summary = value
    if run is None:
        raise RecordError(f"{path}:1: the run's line is {'cut off' if tail else 'missing'}; nothing was recorded")
    if tail:
        where = f"line {len(lines) + 1} is cut off after {len(tail)} bytes"
        notes.append(f"{where} and was ignored; the run stopped there")
    elif summary is None:
        notes.append(f"the run was stopped after check {len(checks)}: there is no end line")
    return Record(path.parent, run, tuple(checks), summary is not None, tuple(notes), summary or {})


def _parse(line: bytes) -> tuple[str, Any]:
    try:
        value = json.loads(line.decode())  # bytes would let json guess the encoding
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON at column {error.colno}: {error.msg}") from None
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, found {type(value).__name__}")
    kind = value.pop("kind", None)
    if kind == "run":
        version = value.pop("version", None)
        if version != VERSION:
            raise ValueError(f"version: expected {VERSION}, found {version!r}; read it with the bench that wrote it")
        return kind, renamed.run_today(typed(RunInfo, value))
    if kind == "check":
        return kind, renamed.check_today(typed(CheckRecord, renamed.captures_today(value)))
    if kind == "end":
        summary = unpack(value.get("summary"))
        if not isinstance(summary, dict):
            raise ValueError("summary: expected an object")
        return kind, summary
    raise ValueError(f"kind: expected run, check or end, found {kind!r}")
