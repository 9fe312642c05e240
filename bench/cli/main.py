"""Parse, dispatch, and turn errors into one line and an exit code."""
from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from bench import __version__, paths
from bench.cli import trace
from bench.errors import BenchError, Broken, RecordError, UsageError

USAGE, BROKEN = 64, 3
CLOSED_PIPE = 128 + 13  # as a shell says SIGPIPE
MOST_JOBS = 64

EXAMPLES = """examples:
  bench accept --board twin210                 boot the twin, run every check, write the report
  bench accept --board twin210 --quick         the same without the slow checks, within a minute
  bench run --board twin210 -k carrier         the checks whose names match
  bench accept --board twin210 --fault dm9000:swallow_tx_completion
                                               see the report of a chip that is broken
  bench probe --board twin210                  which devices have their driver, and why the others have not
  bench prove --board twin210                  show that every check can fail
  bench lifecycle --board twin210              device × action: unbind, reload, sleep, leaks, in use, …
  bench sweep --board twin210 i2c              the n-th byte goes unanswered, for each n: errno, recovery, health
  bench shell --board twin210                  a Python prompt with the rig, for bring-up
  bench coverage --board twin210               which functions of the drivers the checks enter, which none reaches
  bench judge records/20261122-101500-twin210  judge a record again, without a board
  bench trace check contracts.py some.dat      judge any trace.dat; see bench trace --help

exit codes: 0 passed, 1 driver or board failed, 2 inconclusive, 3 rig or bench broken, 64 usage
"""


class Parser(argparse.ArgumentParser):
    """An argument parser whose mistakes end with the bench's own exit code."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_JOBS:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to {MOST_JOBS}, found {text!r}")
    return int(text)


def parser(words: Sequence[str] | None = None) -> Parser:
    """The whole command line."""
    top = Parser(prog="bench", description="A test bench for the Linux drivers of embedded boards.",
                 epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--version", action="version", version=f"bench {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)

    def command(name: str, help_: str, example: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=help_, description=help_[0].upper() + help_[1:] + ".", epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    accept = command("accept", "run every check on a board and write the report", "bench accept --board twin210")
    run = command("run", "run the checks that match", "bench run --board twin210 -k 'carrier and not flap'")
    prove = command("prove", "run each check against the faults that it names", "bench prove --board twin210 -k mac")
    coverage = command("coverage", "run checks and show which of the drivers' functions they enter and never reach",
                       "bench coverage --board twin210 -k mac\n  bench coverage records/20261122-101500-twin210")
    coverage.add_argument("shown", nargs="?", metavar="RECORD", help="show that of a record, without a board")
    coverage.set_defaults(coverage=True)
    lifecycle = command("lifecycle", "take every device from its driver and give it back, in ten ways: a matrix",
                        "bench lifecycle --board twin210 -k 'spi or i2c'")
    sweep = command("sweep", "let the n-th bus transaction fail, for n = 1, 2, 3 …: a table of how drivers bear it",
                    "bench sweep --board twin210 spi")
    sweep.add_argument("exerciser", nargs="?", metavar="EXERCISER", help="the sweeps of this one only, e.g. spi")
    twins = {run: "1", accept: "two for each core, with --quick one"}
    for each in (accept, run, prove, coverage, lifecycle, sweep):
        each.add_argument("--board", required=each is not coverage, metavar="NAME",
                          help="a board's name; see `bench boards`")
        each.add_argument("-k", dest="expression", default="", metavar="EXPR", help="pytest's -k")
        each.add_argument("--record", metavar="DIR", help="where the record goes (default records/<time>-<board>)")
        each.add_argument("-j", "--jobs", type=_jobs, default=1 if each is run else 0, metavar="N", help="share the "
                          f"checks among N twins at once (default {twins.get(each, 'one for each core')}; a real "
                          "board is always one)")
    for each in (accept, run):
        each.add_argument("--coverage", action="store_true", help="note which functions of the drivers are entered")
    for each in (accept, run, coverage, lifecycle):
        each.add_argument("--fault", action="append", default=[], metavar="WHERE:NAME", help="switch a fault on")
    for each in (accept, run):
        each.add_argument("--quick", action="store_true", help="leave out the checks marked slow")
    prove.add_argument("--quick", action="store_true", help="try only the first fault of each check")
    run.add_argument("--times", type=int, default=1, metavar="N", help="run each check N times in a row")
    probe = command("probe", "compare what a board should have with what the running kernel shows",
                    "bench probe --board twin210 --json")
    probe.add_argument("--board", required=True, metavar="NAME", help="a board's name; see `bench boards`")
    probe.add_argument("--json", action="store_true", help="print JSON instead of a tree")
    probe.add_argument("--fault", action="append", default=[], metavar="WHERE:NAME", help="switch a fault on before it "
                       "boots")
    command("boards", "list the boards", "bench boards")
    faults = command("faults", "list the faults that can be switched on", "bench faults --board twin210")
    faults.add_argument("--board", required=True, metavar="NAME")
    command("kernel", "show the kernel's version, configuration hash and place", "bench kernel")
    command("doctor", "show each prerequisite as present or missing, with its fix", "bench doctor")
    shell = command("shell", "a Python prompt with the rig", "bench shell --board twin210")
    shell.add_argument("--board", required=True, metavar="NAME")
    judge = command("judge", "judge a record again, offline", "bench judge records/20261122-101500-twin210")
    judge.add_argument("record", metavar="RECORD", help="a record's folder")
    wire = command("wire", "add a logic analyser's capture (sigrok) to a check of a record",
                   "bench wire records/20261122-101500-lab chip_select capture.sr --align CS-=spi:spi_message_start")
    wire.add_argument("record", metavar="RECORD", help="a record's folder")
    wire.add_argument("check", metavar="CHECK", help="words of the check's name; one check must have them all")
    wire.add_argument("capture", metavar="FILE.sr", help="sigrok's session file, taken while the check ran")
    wire.add_argument("--align", required=True, metavar="CHANNEL±=EVENT", help="the edges (+ rising, - falling) that a "
                      "kernel event of the check's trace made: CS-=spi:spi_message_start")
    wire.add_argument("--channel", action="append", default=[], metavar="NAME", help="only this one (default all)")
    measure = command("measure", "measure the bench itself on this machine", "bench measure --board twin210")
    measure.add_argument("--board", default="twin210", metavar="NAME")
    trace.add_parser(commands, words)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser(arguments).parse_args(arguments)
    try:
        paths.extend()
        code = _run(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `| head` has seen enough
        _close_output()
        return CLOSED_PIPE
    except OSError as e:
        if e.errno != errno.ENOSPC or e.filename is not None:
            raise
        _close_output()
        print("bench: the output cannot be written: no space is left where it goes", file=sys.stderr)
        return BROKEN
    except UsageError as e:
        print(f"bench: {e}", file=sys.stderr)
        return USAGE
    except (Broken, RecordError) as e:
        print(f"bench: {e}", file=sys.stderr)
        return BROKEN
    except BenchError as e:
        print(f"bench: {e}", file=sys.stderr)
        return BROKEN
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return BROKEN


def _close_output() -> None:
    """Nothing more can be written: not at the interpreter's end, either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(options: argparse.Namespace) -> int:
    # Imported by need: `bench --help` must not load labgrid.
    if options.command in ("accept", "run", "prove", "lifecycle", "sweep"):
        from bench.cli import checks

        return checks.run(options)
    if options.command == "coverage":
        from bench.cli import coverage

        return coverage.run(options)
    if options.command == "wire":
        from bench.cli import wire

        return wire.run(options)
    if options.command == "trace":
        return trace.run(options)
    if options.command == "probe":
        from bench.cli import probe

        return probe.run(options)
    if options.command == "measure":
        from bench.benchmark import rig

        return rig.run(options.board)
    from bench.cli import show

    return show.COMMANDS[options.command](options)
