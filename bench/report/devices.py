"""A probe in the terminal: a tree of the board's devices, what is wrong and what to do, then what else is there."""
from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from bench.probe import BOUND, DEFERRED, DISABLED, MISSING, NO_FILE, OTHER, UNBOUND, Part, Probe
from bench.trace.text import line

SYMBOLS = {BOUND: "✓", DEFERRED: "…", UNBOUND: "✗", OTHER: "✗", DISABLED: "–", MISSING: "✗",
           NO_FILE: "✗"}
STYLES = {BOUND: "green", DEFERRED: "yellow", UNBOUND: "bold red", OTHER: "bold red", DISABLED: "yellow",
          MISSING: "bold red", NO_FILE: "bold red"}


def devices(board: str, kernel: str, probe: Probe) -> RenderableType:
    """Return the tree for `board`, which runs `kernel`."""
    top = Tree(Text.assemble((line(board), "bold"), f", kernel {line(kernel) or 'unknown'}"), guide_style="dim")
    for part in probe.parts:
        _grow(top, part)
    if probe.idle:
        idle = top.add(Text("no driver", style="dim"))
        for part in probe.idle:
            fix = f": {line(part.fix)}" if part.fix else ""
            idle.add(Text.assemble(f"{line(part.place)}  ", (f"{line(part.why)}{fix}", "dim")))
    if probe.extra:
        extra = top.add(Text("bound, but not in board.yaml", style="dim"))
        extra.add(Text(", ".join(f"{line(part.place)} ({line(part.has)})" for part in probe.extra), style="dim"))
    notes = [Text(f"note: {line(note)}", style="yellow") for note in probe.notes]
    return Group(top, *notes, Text(probe.headline, style="bold red" if probe.wrong else "bold green"))


def _grow(tree: Tree, part: Part) -> None:
    head = Text.assemble((f"{SYMBOLS[part.state]} {line(part.name)}", STYLES[part.state]), f"  {line(part.driver)}")
    head.append(f"  {line(part.place)}" if part.place else "", style="dim")
    if part.state != BOUND:
        head.append(f"  {part.state}", style=STYLES[part.state])
        head.append(f"\n{line(part.why)}")
        head.append(f"\n→ {line(part.fix)}", style="cyan")
    branch = tree.add(head)
    for behind in part.behind:
        _grow(branch, behind)
