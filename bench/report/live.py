"""Progress of a run while it runs: a line per check that did not pass, and below it what is running now."""
from __future__ import annotations

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from bench import judge
from bench.report import terminal
from bench.report.text import line, seconds_text
from bench.store import CheckRecord


class LiveProgress:
    """Draws a run as it goes; a context manager.

    `total`: number of checks. Without a terminal each check is one plain line, for a CI log.
    """

    def __init__(self, total: int, console: Console | None = None) -> None:
        self._console = console or Console()
        self._checks: list[CheckRecord] = []
        self._bars = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("{task.fields[now]}"), console=self._console, auto_refresh=False)
        self._task: TaskID = self._bars.add_task("checks", total=total, now="")
        self._live = Live(self._bars, console=self._console, refresh_per_second=4, transient=True)

    def __enter__(self) -> LiveProgress:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def say(self, text: str) -> None:
        """Show what happens between checks: booting, cycling the power."""
        self._bars.update(self._task, now=line(text))
        if not self._console.is_terminal:
            self._console.print(Text(line(text), style="dim"), soft_wrap=True)

    def begin(self, sentence: str) -> None:
        """Show which check runs now."""
        self._bars.update(self._task, now=line(sentence))

    def end(self, check: CheckRecord) -> None:
        """Count a check; one that did not pass stays on the screen with its reason."""
        self._checks.append(check)
        counts = judge.counts(self._checks)
        styles = [(terminal.STYLES[name], terminal.SYMBOLS[name], counts[name]) for name in terminal.STYLES]
        shown = " ".join(f"[{style}]{symbol}{count}[/]" for style, symbol, count in styles if count)
        self._bars.update(self._task, advance=1, description=shown, now="")
        quiet = judge.kind(check) in ("pass", "skip")
        if quiet and self._console.is_terminal:
            return
        took = (f"  {seconds_text(check.seconds)}", "dim")
        text = Text.assemble(terminal.mark(check), " ", line(check.sentence), took)
        if not quiet:
            text.append(f"\n    {line(judge.why(check))}", style="dim")
        self._console.print(text, soft_wrap=not self._console.is_terminal)
