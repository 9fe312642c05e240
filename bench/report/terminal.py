"""A record in the terminal: a table of verdicts, then why each check that did not pass did not."""
from __future__ import annotations

import re
from collections import Counter

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench import results
from bench.store import CheckRecord, Record
from bench.trace.text import line, number_text, seconds_text
from bench.verdict import STYLES, SYMBOLS, WORDS

BAR = 20


def table(record: Record) -> RenderableType:
    """Return the table of verdicts, why each check that did not pass did not, and the verdict on the run."""
    return Group(verdicts(record), reasons(record), verdict(record))


def verdicts(record: Record) -> Table:
    """Return the table of verdicts, grouped by exerciser; fits 80 columns and uses what more there is."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True, header_style="dim", title_justify="left",
                 title=Text(line(f"{record.run.board}, kernel {record.run.kernel or 'unknown'}"), style="bold"))
    grid.add_column("", width=14, no_wrap=True)
    grid.add_column("check", ratio=5, overflow="fold")
    grid.add_column("measured", ratio=3, overflow="fold")
    grid.add_column("time", justify="right", width=8, no_wrap=True)
    last = None
    for check in sorted(record.checks, key=lambda check: check.exerciser):
        if check.exerciser != last:
            grid.add_row("", Text(line(check.exerciser), style="bold"), "", "")
            last = check.exerciser
        several = len({other.device for other in record.checks if other.exerciser == check.exerciser}) > 1
        took = Text(seconds_text(check.seconds), style="dim")
        grid.add_row(mark(check), sentence(check, several), measured(check), took)
    return grid


def mark(check: CheckRecord) -> Text:
    """Return a check's outcome as a symbol and a word in its colour."""
    name = results.kind(check)
    return Text(f"{SYMBOLS[name]} {WORDS[name]}", style=STYLES[name])


def sentence(check: CheckRecord, device: bool) -> Text:
    """Return what the check states, with the name of its device when asked for."""
    text = Text(line(check.sentence), style="dim" if results.kind(check) == "skip" else "")
    return text.append(f" {line(check.device)}", style="dim") if device and check.device else text


def measured(check: CheckRecord) -> Text:
    """Return the measured values with their limits; what is over its limit is red."""
    text = Text()
    for value in check.measured:
        limit = f" of {number_text(value.limit)}" if value.limit is not None else ""
        text.append(", " if text else "")
        text.append(f"{line(value.name)} ", style="dim")
        text.append(f"{number_text(value.value)}{limit} {line(value.unit)}", style="" if value.ok else "bold red")
    return text


def reasons(record: Record) -> RenderableType:
    """Return why each check that did not pass did not: the reason, failed verdicts, and the health issues."""
    parts: list[RenderableType] = []
    for check in sorted(record.checks, key=lambda check: tuple(STYLES).index(results.kind(check))):
        if results.kind(check) in ("pass", "skip"):
            continue
        parts.append(Text.assemble(mark(check), " ", (line(check.sentence), "bold")))
        said = [Text(line(results.why(check)))]
        if check.known_defect is not None:
            said.append(Text(f"known defect: {line(check.known_defect)}", style="dim"))
        said += [Text(f"{verdict.outcome}: {line(verdict.claim)}: {line(verdict.reason)}", style="dim")
                 for call in check.calls for verdict in call.verdicts if str(verdict.outcome) != "pass"]
        said += [Text(text, style="dim") for text in health(check)]
        if check.faults:
            said.append(Text(f"injected fault: {', '.join(map(line, check.faults))}", style="yellow"))
        parts.append(Padding(Group(*said, Text(line(check.name), style="dim italic")), (0, 0, 1, 2)))
    return Group(*parts)


def health(check: CheckRecord) -> list[str]:
    """Return what failed of the kernel's health, once for each kind of thing: numbers, as a CPU's, may differ."""
    counted: Counter[str] = Counter()
    shown: dict[str, str] = {}
    for issue in check.health:
        if issue.severity == "fail":
            text = f"{line(issue.kind)}: {line(issue.text)}"
            alike = re.sub(r"\b\d+\b", "N", text)
            counted[alike] += 1
            shown.setdefault(alike, text)
    return [f"{shown[alike]} ({times} times)" if times > 1 else shown[alike] for alike, times in counted.items()]


def verdict(record: Record) -> RenderableType:
    """Return the last lines: notes on the record, faults that were on, the verdict on the run."""
    summary = results.of(record)
    style = {results.PASSED: "bold green", results.FAILED: "bold red", results.INCONCLUSIVE: "bold yellow"}
    parts: list[RenderableType] = [Text(f"note: {line(note)}", style="yellow") for note in record.notes]
    if record.run.faults:
        parts.append(Text(f"injected faults: {', '.join(map(line, record.run.faults))}", style="yellow"))
    said = " ".join(filter(None, (summary.headline, summary.more)))
    headline = Text.assemble((summary.word, style.get(summary.exit_code, "bold magenta")), f"  {said}",
                             (f"  {seconds_text(summary.seconds)}", "dim"))
    return Group(*parts, headline)


def changes(again: results.Judgement) -> RenderableType:
    """Return what judging a record again changed, and what could not be judged."""
    parts: list[RenderableType] = [Text(f"note: {line(note)}", style="yellow") for note in again.notes]
    for change in again.changes:
        before = str(change.before.outcome) if change.before else "not judged"
        parts.append(Text.assemble((f"{before} → {change.after.outcome}", "bold"), f"  {line(change.after.claim)}"))
        where = f"{line(change.check.sentence)}, {line(change.call)}"
        parts.append(Text(f"    {where}: {line(change.after.reason)}", style="dim"))
    parts.append(Text(f"{again.judged} verdicts judged again, {len(again.changes)} changed"))
    return Group(*parts)


def covered(record: Record, every: bool) -> RenderableType:
    """Return the table of the drivers' functions by module; `every`: with the names of those that no check reached."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", title_justify="left",
                 title=Text("Driver functions entered by the checks", style="bold"))
    grid.add_column("module", overflow="fold")
    grid.add_column("entered", justify="right", no_wrap=True)
    grid.add_column("", width=BAR, no_wrap=True)
    grid.add_column("never reached", justify="right")
    parts: list[RenderableType] = [grid]
    for one in results.coverage(record):
        full = round(BAR * one.share)
        bar = Text("█" * full, style="green").append("░" * (BAR - full), style="dim")
        never = Text("unknown", style="yellow") if one.unknown else Text(str(len(one.never)))
        grid.add_row(line(one.module), f"{len(one.entered)} of {len(one.functions)}", bar, never)
        if every and one.unseen:
            parts.append(Text.assemble((line(one.module), "bold"), f" {unseen_words(one)}:"))
            parts.append(Padding(Text(line(" ".join(one.unseen))), (0, 0, 1, 2)))
    parts += [Text(line(said), style="yellow") for said in results.uncovered(record)]
    return Group(*parts)


def unseen_words(one: results.ModuleCoverage) -> str:
    """Return a sentence about the functions that no check was seen to enter."""
    return f"unknown: {one.lost} entries were lost" if one.unknown else "never reached by a check"
