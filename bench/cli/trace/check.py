"""`bench trace check`: judge recordings by the contracts in a file."""
from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.text import Text

from bench.cli.trace.common import add_verb, event_line, heading, load, summary_lines, waiting
from bench.cli.trace.given import add_what_files_do_not_say, bound, with_armed
from bench.cli.trace.output import Output
from bench.errors import UsageError
from bench.judge import contract_files
from bench.trace import Trace
from bench.trace.text import visible
from bench.verdict import STYLES, SYMBOLS, WORDS, Outcome, Verdict
from drivers.contract import Contract, ContractError

EXAMPLES = """  bench trace check docs/traces/spi_pairing.py docs/traces/spi_pairing.dat
  bench trace check mine.py some.dat other.dat -k interrupt
  bench trace check drivers/checks/net_contracts.py some.dat --set interface=eth0 --set frames=20
  bench trace check mine.py recorded-by-trace-cmd.dat --armed 'spi:*'
  bench trace check mine.py records/20261126-101500-twin210      each call that recorded the required events

exit codes: 0 all hold, 1 a contract fails, 2 a contract is inconclusive, 3 unreadable recording, 64 usage
"""
INDENT = " " * 12


def add_parser(verbs: Any, help_: str) -> None:
    """Add `check`."""
    check = add_verb(verbs, "check", help_, EXAMPLES)
    check.add_argument("contracts", metavar="CONTRACTS", help="a Python file with contracts, or a folder of such files")
    check.add_argument("files", nargs="+", metavar="FILE", help="a trace.dat, or a record's folder")
    check.add_argument("-k", dest="words", default="", metavar="TEXT", help="only contracts whose name contains TEXT")
    add_what_files_do_not_say(check)
    check.add_argument("--witnesses", type=int, default=6, metavar="N", help="events shown per verdict (default 6)")


def run(options: argparse.Namespace) -> int:
    """Judge, print, and return the exit code."""
    chosen = prepared(options)
    out = Output(highlight=False)
    verdicts: list[Verdict] = []
    for name in options.files:
        for label, trace in recordings(name):
            trace = with_armed(trace, options.armed)
            whole_record = Path(name).is_dir()
            concerned = [contract for contract in chosen
                         if not whole_record or contract_files.concerns(contract, trace)]
            if concerned:
                out.print(Text(label if whole_record else summary_lines(trace, label)[0], style="bold"), soft_wrap=True)
            for contract in concerned:
                with waiting(f"judging {contract.name}"):
                    verdict = judged(contract, trace, options.contracts)
                verdicts.append(verdict)
                show(out, contract, verdict, trace, options.witnesses)
    if not verdicts:
        events = ", ".join(dict.fromkeys(event for contract in chosen for event in contract.events))
        out.print(f"nothing was judged: no call recorded the required events: {events}", markup=False)
        return 2
    return conclude(out, verdicts)


def prepared(options: argparse.Namespace) -> list[Contract]:
    """The selected contracts of the file, with their limits bound."""
    contracts = contract_files.load(Path(options.contracts))
    chosen = [contract for contract in contracts if options.words.lower() in contract.name.lower()]
    if not chosen:
        raise UsageError.unknown("contract", options.words, (contract.name for contract in contracts))
    return bound(chosen, contracts, options.values, options.contracts)


def recordings(name: str) -> Iterator[tuple[str, Trace]]:
    """One trace.dat, or the trace of every call in a record, each with its label."""
    if not Path(name).is_dir():
        yield name, load(name)
        return
    from bench import store

    record = store.read(Path(name))
    for check in record.checks:
        for call in check.calls:
            if call.trace:
                label = f"{visible(check.sentence)}: {visible(call.call)} ({visible(call.trace)})"
                yield label, load(str(record.folder / call.trace))


def judged(contract: Contract, trace: Trace, where: str) -> Verdict:
    """The verdict; comparing text with a number is a mistake in the contract that only judging can detect."""
    try:
        return contract_files.judged(contract, trace)
    except ContractError as error:
        raise UsageError(f"{where}: {contract.name}: {error}") from error


def show(out: Output, contract: Contract, verdict: Verdict, trace: Trace, most: int) -> None:
    """Print the name, the claim as a sentence, the reason, and the witnesses."""
    kind = str(verdict.outcome)
    name = Text(f"{SYMBOLS[kind]} {WORDS[kind]:<9} ", style=STYLES[kind]).append(visible(contract.name), style="bold")
    out.print(name, soft_wrap=True)
    for text in (str(contract.claim), verdict.reason):
        out.print(Text(INDENT + visible(text), style="dim" if text != verdict.reason else ""), soft_wrap=True)
    shown = verdict.witnesses[:most]
    width = max((len(visible(witness.event)) for witness in shown), default=0)
    if shown:
        out.print(Text(f"  {heading(width)}", style="dim"), soft_wrap=True)
    for witness in shown:
        out.print(Text(f"  {event_line(trace, witness, width)}"), soft_wrap=True)
    if len(verdict.witnesses) > len(shown):
        out.print(Text(f"  … {len(verdict.witnesses) - len(shown)} more witnesses; see --witnesses", style="dim"))


def conclude(out: Output, verdicts: list[Verdict]) -> int:
    """The last line, and the exit code: failed before inconclusive before passed."""
    counts = {outcome: sum(v.outcome is outcome for v in verdicts) for outcome in Outcome}
    words = {Outcome.PASS: "hold", Outcome.FAIL: "fail", Outcome.INCONCLUSIVE: "inconclusive"}
    text = ", ".join(f"{counts[outcome]} {word}" for outcome, word in words.items() if counts[outcome])
    code = 1 if counts[Outcome.FAIL] else 2 if counts[Outcome.INCONCLUSIVE] else 0
    out.print(Text(f"{len(verdicts)} verdict{'s' * (len(verdicts) != 1)}: {text}",
                   style="bold " + ("green", "red", "yellow")[code]))
    return code
