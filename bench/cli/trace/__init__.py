"""`bench trace`: record a board; and without one: look into a trace.dat, judge it, export it, compare two."""
from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Any

VERBS = ("record", "show", "check", "export", "diff")

EXAMPLES = """example:
  bench trace record --board twin210 -e net -o some.dat --seconds 5
  bench trace show some.dat                        what is in it, event by event
  bench trace check contracts.py some.dat          judge it; docs/traces.md says how contracts are written
  bench trace export some.dat --to some.pftrace    for Perfetto, trace-cmd, spreadsheets, data frames
  bench trace diff old.dat new.dat                 what became slower, and what happens more often
"""


def add_parser(commands: Any, words: Sequence[str] | None = None) -> None:
    """Add `trace` to the command line `words`, with its own commands if it is asked for."""
    trace = commands.add_parser(
        "trace", help="work with kernel traces, also without a board", epilog=EXAMPLES,
        description="Work with kernel traces: any trace.dat, of this bench or of trace-cmd.",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    if "trace" not in (sys.argv if words is None else words):
        return  # what the verbs need takes a moment to load
    verbs = trace.add_subparsers(dest="verb", metavar="COMMAND", required=True, parser_class=type(trace))
    for name in VERBS:
        _module(name).add_parser(verbs)


def run(options: argparse.Namespace) -> int:
    """Run one of the commands and return its exit code."""
    code: int = _module(options.verb).run(options)
    return code


def _module(verb: str) -> Any:
    return importlib.import_module(f"bench.cli.trace.{verb}")
