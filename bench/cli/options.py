"""Options and arguments that several commands share; the argument parser itself."""
from __future__ import annotations

import argparse
import sys
from typing import Any, NoReturn

USAGE = 64
MOST_JOBS = 64


class Parser(argparse.ArgumentParser):
    """An argument parser whose usage errors end with the bench's own exit code."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def add_command(commands: Any, name: str, help_: str, *examples: str, more: str = "") -> argparse.ArgumentParser:
    """Add a command: `help_` is a phrase without a full stop, `more` what its own help says besides."""
    description = f"{help_[0].upper()}{help_[1:]}." + (f" {more}" if more else "")
    lines = "".join(f"\n  {example}" for example in examples)
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=help_, description=description, epilog=f"example:{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    return command


def add_board(command: argparse.ArgumentParser, required: bool = True) -> None:
    """Add --board."""
    command.add_argument("--board", required=required, metavar="NAME",
                         help="name of the board (`bench boards` lists them), or the path of its folder")


def add_selection(command: argparse.ArgumentParser, default_jobs: int = 0, twins: str = "one per core") -> None:
    """Add what every command has that runs checks: -k, --record, --jobs."""
    command.add_argument("-k", dest="expression", default="", metavar="EXPR",
                         help="only checks whose names match this expression, as in pytest: 'carrier and not flap'")
    command.add_argument("--record", metavar="DIR", help="folder for the record (default: records/<time>-<board>)")
    command.add_argument("-j", "--jobs", type=_jobs, default=default_jobs, metavar="N",
                         help=f"run the checks on N twins in parallel (default: {twins}); ignored on a real board")


def add_faults(command: argparse.ArgumentParser, when: str = "") -> None:
    """Add --fault."""
    command.add_argument("--fault", action="append", default=[], metavar="WHERE:NAME",
                         help=f"inject this fault{when} (`bench faults` lists them); may be given several times")


def add_quick(command: argparse.ArgumentParser, help_: str = "leave out the checks marked slow") -> None:
    """Add --quick."""
    command.add_argument("--quick", action="store_true", help=help_)


def add_coverage(command: argparse.ArgumentParser) -> None:
    """Add --coverage."""
    command.add_argument("--coverage", action="store_true", help="record which driver functions the checks enter")


def add_record(command: argparse.ArgumentParser) -> None:
    """Add the argument RECORD."""
    command.add_argument("record", metavar="RECORD", help="folder of a record")


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_JOBS:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to {MOST_JOBS}, found {text!r}")
    return int(text)
