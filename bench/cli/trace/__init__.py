"""`bench trace`: record a board; without a board: show, judge and export a trace.dat, compare two."""
from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Any

# Each is a module of this package with `add_parser` and `run`; only the one that is run is loaded.
VERBS = {
    "record": "record a board while something runs on it",
    "show": "show the events of a recording by time, and the count of each type",
    "check": "judge recordings by the contracts in a Python file",
    "export": "write a recording as trace.dat, for Perfetto, as CSV or Parquet",
    "diff": "compare two recordings of the same workload: event counts and latencies",
}

EXAMPLES = """example:
  bench trace record --board twin210 -e net -o some.dat --seconds 5
  bench trace show some.dat                        its summary and events
  bench trace check contracts.py some.dat          judge it; how to write contracts: docs/traces.md
  bench trace export some.dat --to some.pftrace    for Perfetto, trace-cmd, spreadsheets, data frames
  bench trace diff old.dat new.dat                 what became slower, and what happens more often
"""


def add_parser(commands: Any, words: Sequence[str] | None = None) -> None:
    """Add `trace` to the command line `words`, with the arguments of the command that is run."""
    trace = commands.add_parser(
        "trace", help="work with kernel traces, also without a board", epilog=EXAMPLES,
        description="Work with kernel traces: any trace.dat, of this bench or of trace-cmd.",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = trace.add_subparsers(dest="verb", metavar="COMMAND", required=True, parser_class=type(trace))
    words = list(sys.argv[1:] if words is None else words)
    for name, help_ in VERBS.items():
        if words[:2] == ["trace", name]:
            _module(name).add_parser(verbs, help_)
        else:
            verbs.add_parser(name, help=help_)


def run(options: argparse.Namespace) -> int:
    """Run one of the commands and return its exit code."""
    code: int = _module(options.verb).run(options)
    return code


def _module(verb: str) -> Any:
    return importlib.import_module(f"bench.cli.trace.{verb}")
