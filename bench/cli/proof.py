"""`bench prove`: the table check × fault × caught."""
from __future__ import annotations

from rich.console import Console
from rich.table import Table

from bench.report import plain
from bench.store import CheckRecord, Record
from bench.verdict import Outcome


def caught(record: CheckRecord) -> bool:
    """A fault is caught when the check fails; inconclusive or broken is not caught."""
    return record.outcome is Outcome.FAIL


class Proof:
    """The proofs in a record made with --prove."""

    def __init__(self, record: Record) -> None:
        self.checks = record.checks

    @property
    def unproven(self) -> list[CheckRecord]:
        """Those that nothing tripped."""
        return [c for c in self.checks if c.outcome is not Outcome.SKIP and not caught(c)]

    def show(self, console: Console) -> int:
        """Print the table; 0 when every fault of every check was caught, else 1."""
        table = Table(title="What each check catches", title_justify="left", header_style="bold", pad_edge=False)
        for name in ("check", "fault", "caught", "by"):
            table.add_column(name, overflow="fold")
        for record in self.checks:
            if record.outcome is Outcome.SKIP:
                continue
            mark = "[green]yes[/]" if caught(record) else f"[bold red]no: {record.outcome}[/]"
            sentence = plain(record.sentence.split(" [")[0])
            named = ", ".join(record.faults) or "none named"
            table.add_row(f"{record.exerciser}: {sentence}", named, mark, plain(record.reason))
        console.print(table)
        total = len([c for c in self.checks if c.outcome is not Outcome.SKIP])
        console.print(f"{total - len(self.unproven)} of {total} proofs caught; {len(self.unproven)} unproven")
        return 1 if self.unproven else 0
