"""`bench wire`: a logic analyser's capture becomes the wire witness of a check."""
from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from bench import report, store
from bench.capture import sigrok
from bench.report.sanitise import seconds_text
from bench.results import attach_capture


def run(options: argparse.Namespace) -> int:
    """Align the capture, add its edges to the check's record, and write the record's reports anew."""
    record = store.read(Path(options.record))
    check = attach_capture.find(record, options.check)
    attach_capture.parse(options.align)
    captured = sigrok.load(Path(options.capture))
    new, aligned, left_out = attach_capture.added(record, check, captured, options.align, options.channel)
    store.rewrite(new)
    files = report.write(new)
    console = Console(highlight=False)
    console.print(f"aligned by {aligned.matched} edges, ± {seconds_text(aligned.error_ns / 1e9)}", markup=False)
    if left_out:
        limit = attach_capture.MOST_EDGES
        console.print(f"{left_out} edges are left out: before and after the check, past the first {limit}")
    console.print(f"report  {files.html}", soft_wrap=True, markup=False)
    return 0
