"""`bench trace export`: write a recording for other tools."""
from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.cli.trace.common import add_verb, load, matching, waiting
from bench.errors import UsageError
from bench.export import perfetto, table
from bench.trace import Trace
from bench.trace.text import visible

EXAMPLES = """  bench trace export some.dat --to plain.dat            version 6, uncompressed: trace-cmd, KernelShark
  bench trace export some.dat --to some.pftrace         Perfetto's viewer
  bench trace export some.dat --to xmit.csv -e net_dev_xmit
  bench trace export some.dat --to some.parquet         a file for each event type: some.SYSTEM.EVENT.parquet
  bench trace export RECORD -k carrier --to some.pftrace   a check of a record: its calls, devices, CPUs and wires
"""
TABLES: dict[str, Callable[[Trace, str, Path], int]] = {".csv": table.write_csv, ".parquet": table.write_parquet}
WHOLE = (".dat", ".pftrace")


def add_parser(verbs: Any, help_: str) -> None:
    """Add `export`."""
    export = add_verb(verbs, "export", help_, EXAMPLES)
    export.add_argument("file", metavar="FILE", help="a trace.dat, version 6 or 7, or a record's folder (with -k)")
    export.add_argument("--to", required=True, metavar="OUT", help="the new file; its extension selects the format: "
                        ".dat, .pftrace, .csv, .parquet")
    export.add_argument("-e", dest="events", action="append", default=[], metavar="GLOB",
                        help="only these event types (.csv and .parquet)")
    export.add_argument("-k", dest="check", metavar="WORDS", help="the check of a record, by words of its name")


def run(options: argparse.Namespace) -> int:
    """Write the file or files and print their names."""
    to = Path(options.to)
    if to.suffix not in (*WHOLE, *TABLES):
        raise UsageError(f"--to {options.to}: the extension selects the format: {', '.join((*WHOLE, *TABLES))}")
    if to.suffix in WHOLE and options.events:
        raise UsageError(f"-e chooses event types for {' and '.join(TABLES)}; a {to.suffix} file is whole")
    if to.is_file() and Path(options.file).is_file() and to.samefile(options.file):
        raise UsageError(f"--to {options.to} is the recording itself")
    if not to.parent.is_dir():
        raise UsageError(f"--to {options.to}: there is no folder {to.parent}")
    try:
        if options.check is not None:
            written = [(to, whole_check(Path(options.file), options.check, to))]
        else:
            trace = load(options.file)
            with waiting(f"writing {to}"):
                written = write(trace, to, options.events)
    except OSError as error:
        raise UsageError(f"{error.filename or to}: cannot be written: {error.strerror}") from error
    for path, content in written:
        print(f"{path}: {content}, {path.stat().st_size:,} bytes")
    return 0


def whole_check(folder: Path, words: str, to: Path) -> str:
    """Write the check of a record whose name or sentence contains `words`; returns the size written."""
    if to.suffix != ".pftrace":
        raise UsageError(f"--to {to}: a check of a record goes to a .pftrace file")
    from bench.report.perfetto import write as write_check
    from bench.store import read

    record = read(folder)
    matches = [check for check in record.checks if words in check.sentence or words in check.name]
    if len(matches) != 1:
        names = "".join(f"\n  {visible(check.sentence)}" for check in matches or record.checks)
        raise UsageError(f"-k {words}: {len(matches)} of the {len(record.checks)} checks match"
                         f"{', exactly one is required' if matches else ''}:{names}")
    with waiting(f"writing {to}"):
        return f"{write_check(matches[0], record.folder, to):,} packets"


def write(trace: Trace, to: Path, patterns: list[str]) -> list[tuple[Path, str]]:
    """Write; returns each file with what is in it."""
    if to.suffix == ".dat":
        trace.save(to)
        return [(to, f"{len(trace):,} events")]
    if to.suffix == ".pftrace":
        return [(to, f"{len(trace):,} events in {perfetto.write(trace, to):,} packets")]
    events = matching(trace, patterns)
    if not events:
        raise UsageError("none of these events is in the recording")
    files = []
    for event in events:
        path = to if len(events) == 1 else to.with_name(f"{to.stem}.{safe(event)}{to.suffix}")
        files.append((path, f"{TABLES[to.suffix](trace, event, path):,} × {visible(event)}"))
    return files


def safe(event: str) -> str:
    """An event's name as a part of a file's name: a recording's event names are untrusted."""
    return "".join(char if char.isalnum() or char in "_-" else "." if char == ":" else "_" for char in event)
