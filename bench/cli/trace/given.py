"""Values that a recording or a contract file leaves open, given on the command line: --set, --armed."""
from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any

from bench.cli.trace.common import fits_one
from bench.errors import UsageError
from bench.judge import contract_files
from bench.trace import Trace
from drivers.contract import Contract, ContractError


def add_what_files_do_not_say(parser: argparse.ArgumentParser) -> None:
    """Add the two options."""
    parser.add_argument("--set", dest="values", action="append", default=[], metavar="NAME=VALUE",
                        help="a value for a contract's limit(NAME), a number or a text")
    parser.add_argument("--armed", action="append", default=[], metavar="GLOB",
                        help="these events were enabled, even if none was recorded; trace-cmd's files do not say so")


def bound(chosen: Sequence[Contract], known: Sequence[Contract], given: Sequence[str], where: str) -> list[Contract]:
    """The chosen contracts with the values given; UsageError for a name that is no limit of the known ones."""
    places = {place for contract in known for place in contract.unbound}
    values = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--set takes NAME=VALUE, not {text!r}")
        if name not in places:
            raise UsageError.unknown("value to be set", name, places)
        values[name] = number_or_text(value)
    try:
        return [contract_files.bind(contract, values) for contract in chosen]
    except ContractError as error:
        raise UsageError(f"{where}: {error}") from error


def number_or_text(text: str) -> Any:
    """`20` and `0x14` as numbers, everything else as it is."""
    try:
        return int(text, 0)
    except ValueError:
        return text


def with_armed(trace: Trace, patterns: Sequence[str]) -> Trace:
    """The trace, with the matching events marked as enabled."""
    if patterns:
        known = [event for event in trace.formats if trace.armed(event) or fits_one(event, patterns)]
        trace.recording = dataclasses.replace(trace.recording, armed=known)
    return trace
