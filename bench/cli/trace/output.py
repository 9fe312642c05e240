"""Standard output in colour, for the commands that print verdicts and tables."""
from __future__ import annotations

from rich.console import Console


class Output(Console):
    """Standard output; a pipe that is closed early is main's business, as for print()."""

    def on_broken_pipe(self) -> None:
        raise
