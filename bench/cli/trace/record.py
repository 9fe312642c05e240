"""`bench trace record`: record a board while a call, a command on the target or some seconds run."""
from __future__ import annotations

import argparse
import ast
import contextlib
import fnmatch
import math
import shlex
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bench.cli.trace.common import add_verb, summary_lines
from bench.cli.trace.output import Output
from bench.errors import TargetError, UsageError
from bench.judge import contract_files
from bench.rig.call import Answer
from bench.rig.exerciser import Exerciser
from bench.rig.rig import Rig, quiet_labgrid
from bench.trace.text import visible
from drivers.agent.call import kind
from drivers.contract import (
    Contract,
    Function,
    GraphEntry,
    GraphExit,
    Kprobe,
    Kretprobe,
    Source,
    Tracepoint,
    as_role,
    label,
)

EXAMPLES = """  bench trace record --board twin210 -e irq -e 'net:*' -o out.dat --seconds 5
  bench trace record --board twin210 -f :mod:dm9000 -p 'dm9000_start_xmit skb=%r0' -o out.dat \\
      --before 'net.set_up_link address=192.0.2.2 partner=192.0.2.1' -- net.ping address=192.0.2.1 count=10
  bench trace record --board twin210 -e sched_switch -o out.dat --shell 'dd if=/dev/zero of=/dev/null count=1000'
  bench trace record --board twin210 --contracts docs/traces/spi_pairing.py -o out.dat -- spi.write data="b'some'"
  bench trace record --board twin210 -e raw_syscalls -o out.dat       until Ctrl-C
"""
RUNNING = "recording; Ctrl-C ends it"
FOREVER_S = 20 * 86400.0  # the longest that poll(2) can wait, nearly


def add_parser(verbs: Any, help_: str) -> None:
    """Add `record`."""
    record = add_verb(verbs, "record", help_, EXAMPLES)
    record.add_argument("--board", required=True, metavar="NAME", help="a board's name; see `bench boards`")
    record.add_argument("-o", dest="out", required=True, metavar="FILE", help="the trace.dat to write")
    for option, dest, help_ in (
            ("-e", "events", "events: a system, SYSTEM:NAME, NAME, each also as a glob"),
            ("-p", "probes", "a function's entry, with fetch arguments: 'FUNCTION [NAME=ARGUMENT …]'"),
            ("-r", "returns", "a function's return: 'FUNCTION [NAME=$retval]'"),
            ("-f", "functions", "the function tracer: a name, a pattern, or :mod:MODULE"),
            ("-g", "graph", "the function-graph tracer, for the same")):
        record.add_argument(option, dest=dest, action="append", default=[], metavar=option[1].upper(), help=help_)
    record.add_argument("--contracts", metavar="FILE", help="the events that the contracts of this file need")
    record.add_argument("--stack", action="store_true", help="with the kernel stack at each event of -e and -p")
    record.add_argument("--buffer", type=int, default=8192, metavar="KB", help="the kernel's buffer for each CPU; what "
                        "does not fit while the channel is busy is lost and counted (default 8192)")
    record.add_argument("--before", action="append", default=[], metavar="CALL",
                        help="a call to run first, not recorded")
    record.add_argument("--seconds", type=float, metavar="S", help="record for S seconds (default until Ctrl-C)")
    record.add_argument("--shell", metavar="COMMAND", help="record while the target's shell runs COMMAND")
    record.add_argument("call", nargs="*", metavar="CALL", help="after --: record while this call runs: "
                        "EXERCISER.FUNCTION NAME=VALUE …")


def run(options: argparse.Namespace) -> int:
    """Record, save, and print a summary and the call's result."""
    out = Path(options.out)
    if not out.parent.is_dir():
        raise UsageError(f"-o {out}: there is no folder {out.parent}")
    if sum(map(bool, (options.call, options.shell, options.seconds is not None))) > 1:
        raise UsageError("choose one of --seconds, --shell and a call")
    given = (options.events, options.probes, options.returns, options.functions, options.graph, options.contracts)
    if not any(given):
        raise UsageError("nothing to record: give -e, -p, -r, -f, -g or --contracts")
    contracts = contract_files.load(Path(options.contracts)) if options.contracts else []
    quiet_labgrid()
    with Console(stderr=True).status(f"starting {options.board}"), Rig(options.board) as rig:
        for line in options.before:
            _ = _call(rig, shlex.split(line))().value
        sources = [*_events(rig, options), *_others(options)]
        if sources:  # a contract reports its own missing sources
            _refuse_missing(rig, sources)
        answer = _record(rig, options, [*sources, *contracts], out.parent)
    assert answer.trace is not None
    try:
        answer.trace.save(out)
    except OSError as e:
        raise UsageError(f"-o {out}: cannot be written: {e.strerror}") from e
    console = Output(highlight=False, soft_wrap=True)
    for text in summary_lines(answer.trace, str(out)):
        console.print(text, markup=False)
    return _print_result(answer, console)


def _record(rig: Rig, options: argparse.Namespace, sources: Sequence[Source | Contract], spool: Path) -> Answer:
    if options.call:
        run = _call(rig, options.call, sources, options.buffer, spool)
    elif options.shell:
        run = _call(rig, ["agent.shell", f"command={options.shell!r}", f"timeout_s={FOREVER_S}"], sources,
                    options.buffer, spool)
    else:
        seconds = FOREVER_S if options.seconds is None else options.seconds
        run = _call(rig, ["agent.wait", f"seconds={seconds}"], sources, options.buffer, spool)
    with _until_interrupted(rig):
        answer: Answer = run()
    return answer


def _print_result(answer: Answer, console: Console) -> int:
    """Print the call's value or error, and return the exit code."""
    if answer.error and answer.error["type"] == "KeyboardInterrupt":
        console.print("ended by Ctrl-C")
        return 0
    try:
        value = answer.value
    except TargetError as e:
        console.print(visible(str(e).splitlines()[0]), markup=False)
        return 1
    if isinstance(value, dict) and answer.call.name == "agent.shell":
        console.print(visible(value["output"]).rstrip() + f"\nexit status {value['status']}", markup=False)
    elif value is not None:
        console.print(f"{answer.call.name}: {visible(repr(value))}", markup=False)
    return 0


@contextlib.contextmanager
def _until_interrupted(rig: Rig) -> Iterator[None]:
    """Show the progress; the first Ctrl-C ends the recording, a second one the program."""
    def interrupt(number: int, at: FrameType | None) -> None:
        rig.interrupt()
        signal.signal(signal.SIGINT, before)

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task(RUNNING)
            if not console.is_terminal:
                console.print(RUNNING)
            rig.progress = lambda size: progress.update(
                task, description=f"recording, {size / 1e6:.0f} MB received; Ctrl-C ends it")
            yield
    finally:
        signal.signal(signal.SIGINT, before)


def _call(rig: Rig, words: Sequence[str], sources: Sequence[Source | Contract] = (), buffer_kb: int = 0,
          spool: Path | None = None) -> Any:
    """A call given as words, `net.ping count=3`, as a function to run it."""
    name, *given = words
    exerciser, dot, function = name.partition(".")
    arguments = dict(_argument(word) for word in given)
    calls: Exerciser = rig.exerciser(exerciser) if dot else _no_call(name)
    if kind(calls.function(function)) == "listen":
        raise UsageError(f"{name} listens while the host acts: it cannot be called from here")
    if sources:
        calls = calls.tracing(*sources, buffer_kb=buffer_kb).interruptible(spool).timeout(math.inf)
    method = getattr(calls, function)

    def run() -> Any:
        try:
            return method(**arguments)
        except TypeError as e:
            raise UsageError(f"{name}: {e}") from e

    return run


def _no_call(name: str) -> Exerciser:
    raise UsageError(f"{name!r} is not a call: EXERCISER.FUNCTION NAME=VALUE …; for a shell command use --shell")


def _argument(word: str) -> tuple[str, Any]:
    name, equals, value = word.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"{word!r}: an argument is given as NAME=VALUE")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value  # text needs no quotes


def _events(rig: Rig, options: argparse.Namespace) -> list[Source]:
    """The tracepoints that -e names."""
    if not options.events:
        return []
    known: list[str] = rig.agent.trace_events().value
    events: dict[str, None] = {}
    for pattern in options.events:
        colon = ":" in pattern
        fits = [name for name in known if fnmatch.fnmatchcase(name, pattern if colon else f"{pattern}:*")]
        fits = fits or [name for name in known if not colon and fnmatch.fnmatchcase(name.partition(":")[2], pattern)]
        if not fits:
            names = {name for event in known for name in (event, *event.split(":"))}
            raise UsageError.unknown("event or system", pattern, names)
        events.update(dict.fromkeys(fits))
    return [Tracepoint(name, stack=options.stack) for name in events]


def _others(options: argparse.Namespace) -> list[Source]:
    """Probes, functions and the graph."""
    sources: list[Source] = []
    for probe, texts in ((Kprobe, options.probes), (Kretprobe, options.returns)):
        for text in texts:
            symbol, *fetched = text.split()
            sources.append(probe(symbol, fields=dict(map(_fetched, fetched)), stack=options.stack))
    sources += [Function(pattern) for pattern in options.functions]
    return sources + [source for pattern in options.graph for source in (GraphEntry(pattern), GraphExit(pattern))]


def _fetched(word: str) -> tuple[str, str]:
    name, equals, argument = word.partition("=")
    if not equals or not name.isidentifier() or not argument:
        raise UsageError(f"{word!r}: what a probe fetches is given as NAME=ARGUMENT, such as skb=%r0")
    return name, argument


def _refuse_missing(rig: Rig, sources: Sequence[Source]) -> None:
    """Refuse sources that this kernel does not have before recording; UsageError with the nearest name."""
    missing = rig.agent.tracing(*sources).noop().trace.missing
    for source in sources:
        labels = [label(alternative) for alternative in as_role(source).sources]
        why = next((missing[name] for name in labels if name in missing), "")
        if not why:
            continue
        name = source.wanted[0] if isinstance(source, Function) else getattr(source, "symbol", "")
        known: list[str] = rig.agent.traceable().value if name.isidentifier() else []
        if known and name not in known:
            raise UsageError.unknown("function that can be traced", name, known)
        raise UsageError(f"cannot be recorded here: {why}")
