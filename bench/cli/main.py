"""Parse, dispatch, and turn errors into one line and an exit code.

A command is a module of this package with `add_parser(commands)` and `run(options)`. What it needs it imports in
`run`: `bench --help` and every other command must not pay for it.
"""
from __future__ import annotations

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from bench import __version__, paths
from bench.cli import trace
from bench.cli.options import USAGE, Parser
from bench.errors import BenchError, UsageError

BROKEN = 3
CLOSED_PIPE = 128 + 13  # as a shell says SIGPIPE
COMMANDS = ("accept", "run", "prove", "coverage", "lifecycle", "sweep", "probe", "boards", "faults", "kernel", "doctor",
            "shell", "judge", "wire", "measure", "init")  # the help's order; and `trace`, with commands of its own

EXAMPLES = """examples:
  bench accept --board twin210                 boot the twin, run every check, write the report
  bench accept --board twin210 --quick         the same without the slow checks, in about a minute
  bench run --board twin210 -k carrier         the checks whose names match
  bench accept --board twin210 --fault dm9000:swallow_tx_completion
                                               the report of a board with a broken chip
  bench probe --board twin210                  which devices are bound to their driver, and why the others are not
  bench prove --board twin210                  prove that every check can fail
  bench lifecycle --board twin210              device × action: unbind, reload, runtime suspend, leaks, in use …
  bench sweep --board twin210 i2c              the n-th byte is not acknowledged, for each n: errno, recovery, health
  bench shell --board twin210                  a Python prompt with the rig, for bring-up
  bench coverage --board twin210               which driver functions the checks enter, and which none reaches
  bench init my-lab                            a repository of your own: a board, an exerciser and a chip to begin with
  bench judge records/20261122-101500-twin210  judge a record again, without a board
  bench trace check contracts.py some.dat      judge any trace.dat; see bench trace --help

exit codes: 0 passed, 1 driver or board failed, 2 inconclusive, 3 rig or bench broken, 64 usage
"""


def parser(words: Sequence[str] | None = None) -> Parser:
    """The whole command line; `words` are what it will parse."""
    top = Parser(prog="bench", description="A hardware-in-the-loop test bench for Linux drivers on embedded boards.",
                 epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--version", action="version", version=f"bench {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for name in COMMANDS:
        _module(name).add_parser(commands)
    trace.add_parser(commands, words)
    return top


def _module(command: str) -> Any:
    return trace if command == "trace" else importlib.import_module(f"bench.cli.{command}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser(arguments).parse_args(arguments)
    try:
        paths.extend()
        code = int(_module(options.command).run(options))
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `| head` has seen enough
        _close_output()
        return CLOSED_PIPE
    except OSError as e:
        if e.errno != errno.ENOSPC or e.filename is not None:
            raise
        _close_output()
        print("bench: cannot write the output: no space left on device", file=sys.stderr)
        return BROKEN
    except UsageError as e:
        print(f"bench: {e}", file=sys.stderr)
        return USAGE
    except BenchError as e:
        print(f"bench: {e}", file=sys.stderr)
        return BROKEN
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return BROKEN


def _close_output() -> None:
    """Nothing more can be written: not at the interpreter's end, either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


