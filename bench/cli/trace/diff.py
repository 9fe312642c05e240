"""`bench trace diff`: two recordings, or two records of the same checks, beside each other."""
from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from bench.cli.trace.common import add_verb, load, waiting
from bench.cli.trace.given import add_what_files_do_not_say, bound, with_armed
from bench.cli.trace.output import Output
from bench.errors import UsageError
from bench.judge import contract_files
from bench.judge.profile import KNOWN, Profile, Row, compare, pairs_in
from bench.trace.text import duration, visible
from drivers.contract import ContractError, Verb

EXAMPLES = """  bench trace diff kernel-6.12.dat kernel-7.2.dat
  bench trace diff old.dat new.dat --contracts mine.py --threshold 2
  bench trace diff records/20261101-090000-twin210 records/20261126-101500-twin210 -k carrier

exit codes: 0 nothing differs, 1 something is beyond the threshold, 2 inconclusive, 3 cannot be read, 64 usage
"""
FEW = 5  # names of checks that only one record has
STYLE = {"slower": "bold red", "faster": "green", "more": "yellow", "fewer": "yellow", "new": "yellow",
         "gone": "yellow", None: "magenta"}


def add_parser(verbs: Any, help_: str) -> None:
    """Add `diff`."""
    diff = add_verb(verbs, "diff", help_, EXAMPLES)
    diff.add_argument("first", metavar="A", help="a trace.dat, or a record's folder")
    diff.add_argument("second", metavar="B", help="the same, of the other kernel, driver or board")
    diff.add_argument("--threshold", type=float, default=1.5, metavar="R",
                      help="the ratio, either way, beyond which a figure differs (default 1.5)")
    diff.add_argument("--rates", action="store_true",
                      help="compare events per second instead of counts, for recordings of different length")
    diff.add_argument("--contracts", metavar="FILE", help="compare the latencies of this file's pairs, too")
    diff.add_argument("-k", dest="words", default="", metavar="TEXT", help="of records: only checks with TEXT in their "
                      "name")
    add_what_files_do_not_say(diff)
    diff.add_argument("--all", action="store_true", help="also show what does not differ")


def run(options: argparse.Namespace) -> int:
    """Compare, print, and return the exit code."""
    if options.threshold <= 1:
        raise UsageError(f"--threshold is a ratio above 1, not {options.threshold:g}")
    pairs = chosen_pairs(options.contracts, options.values)
    out = Output(highlight=False)
    rows: list[Row] = []
    for title, a, b in couples(options, pairs):
        compared = compare(a, b, options.threshold, options.rates)
        rows += compared
        show(out, title, a, b, compared, options.all)
    return conclude(out, rows, options.threshold)


def chosen_pairs(path: str | None, values: list[str]) -> Mapping[str, Verb]:
    """The known pairs, and those of a contract file."""
    if path is None:
        return KNOWN
    try:
        contracts = contract_files.load(Path(path))
        pairs = pairs_in(bound(contracts, contracts, values, path))
    except ContractError as error:
        raise UsageError(f"{path}: {error}") from error
    if not pairs:
        raise UsageError(f"{path}: no contract in it has a pair or a latency")
    return {**KNOWN, **pairs}


def couples(options: argparse.Namespace, pairs: Mapping[str, Verb]) -> Iterator[tuple[str, Profile, Profile]]:
    """What to compare: (title, first, second)."""
    folders = [Path(name).is_dir() for name in (options.first, options.second)]
    if folders[0] != folders[1]:
        raise UsageError("two recordings or two records' folders can be compared, not one of each")
    if not folders[0]:
        a, b = (Profile.of(with_armed(load(name), options.armed), pairs) for name in (options.first, options.second))
        yield "", a, b
        return
    first, second = (checks(name, options.words) for name in (options.first, options.second))
    common = [name for name in first if name in second]
    for name, recordings, others in ((options.first, first, second), (options.second, second, first)):
        alone = [check for check in recordings if check not in others]
        if alone:
            some = ", ".join(visible(sentence(check)) for check in alone[:FEW])
            print(f"only in {name}: {some}{f' and {len(alone) - FEW} more' if len(alone) > FEW else ''}")
    if not common:
        raise UsageError(f"no check with a recording is in both {options.first} and {options.second}")
    for name in common:
        with waiting(f"comparing {sentence(name)}"):
            a, b = (Profile.sum(Profile.of(with_armed(load(path), options.armed), pairs) for path in recordings[name])
                    for recordings in (first, second))
        yield visible(sentence(name)), a, b


def checks(folder: str, words: str) -> dict[str, list[str]]:
    """Check → its recordings, in the order of its calls."""
    from bench import store

    record = store.read(Path(folder))
    recordings = {}
    for check in record.checks:
        traces = [str(record.folder / call.trace) for call in check.calls if call.trace]
        if traces and words.lower() in check.sentence.lower():
            recordings[check.name] = traces
    return recordings


def sentence(name: str) -> str:
    """A check's node id as its sentence."""
    return name.rsplit("::", 1)[-1].removeprefix("test_").replace("_", " ")


def show(out: Output, title: str, a: Profile, b: Profile, rows: list[Row], everything: bool) -> None:
    """The table of one comparison: the differences, or all figures."""
    shown = [row for row in rows if everything or row.word != "" or row.note]
    if title and (shown or everything):
        out.print(Text(title, style="bold"))
    if not title:
        sizes = (f"{sum(p.counts.values()):,} events in {duration(p.ns)}" + (f", {p.lost:,} LOST" if p.lost else "")
                 for p in (a, b))
        out.print(Text("first: {}; second: {}".format(*sizes), style="bold"))
    if not shown:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("what", overflow="fold")
    for name in ("first", "second", "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for row in sorted(shown, key=lambda row: (row.kind == "events", row.word == "", row.name)):
        table.add_row(*cells(row))
    out.print(table)


def cells(row: Row) -> tuple[Text, ...]:
    """A row of the table."""
    what = visible(row.name) if row.kind == "events" else f"{visible(row.name)}, {row.kind}"
    figures = [figure(row, number) for number in (0, 1)]
    ratio = "" if row.ratio is None else f"× {row.ratio:.2f}"
    word = "inconclusive" if row.word is None else row.word
    comment = Text(word, style=STYLE.get(row.word, ""))
    if row.note:
        comment.append(f"{': ' if word else ''}{row.note}", style="dim")
    return (Text(what), *map(Text, figures), Text(ratio, style=STYLE.get(row.word, "dim")), comment)


def figure(row: Row, number: int) -> str:
    """A count with its rate, or a time with how many pairs it is of."""
    value = (row.a, row.b)[number]
    if value is None:
        return "–"
    if row.kind != "events":
        return f"{duration(value)} ({row.pairs[number]:,})" if row.pairs else duration(value)
    return f"{value:,.0f}" + (f" ({row.rates[number]:,.4g}/s)" if row.rates else "")


def conclude(out: Output, rows: list[Row], threshold: float) -> int:
    """The last line and the exit code."""
    compared = [row for row in rows if row.a is not None and row.b is not None]
    words: dict[str, int] = {}
    for row in compared:
        if row.word:
            words[row.word] = words.get(row.word, 0) + 1
    inconclusive = sum(row.word is None for row in compared)
    if not compared:
        out.print(Text("nothing can be compared: no event is recorded in both", style="bold yellow"))
        return 2
    differences = ", ".join(f"{count} {word}" for word, count in words.items()) or "nothing differs"
    more = f", {inconclusive} inconclusive" if inconclusive else ""
    out.print(Text(f"{len(compared)} figures compared, threshold × {threshold:g}: {differences}{more}",
                   style="bold " + ("red" if words else "yellow" if inconclusive else "green")))
    return 1 if words else 2 if inconclusive else 0
