"""`bench wire`: a logic analyser's capture becomes the wire witness of a check."""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench.cli import options as common


def add_parser(commands: Any) -> None:
    """Add the command."""
    command = common.add_command(
        commands, "wire", "add a logic analyser's capture (sigrok) to a check of a record",
        "bench wire records/20261122-101500-lab chip_select capture.sr --align CS-=spi:spi_message_start")
    common.add_record(command)
    command.add_argument("check", metavar="CHECK", help="words of the check's name; exactly one check must match")
    command.add_argument("capture", metavar="FILE.sr", help="sigrok session file, captured while the check ran")
    command.add_argument("--align", required=True, metavar="CHANNEL±=EVENT",
                         help="align the edges of a channel (+ rising, - falling) with the kernel event in the check's "
                         "trace that caused them: CS-=spi:spi_message_start")
    command.add_argument("--channel", action="append", default=[], metavar="NAME",
                         help="add only this channel (default: all); may be given several times")


def run(options: argparse.Namespace) -> int:
    """Align the capture, add its edges to the check's record, and write the record's reports again."""
    from rich.console import Console

    from bench import report, store
    from bench.capture import sigrok
    from bench.results import attach_capture
    from bench.trace.text import seconds_text

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
        console.print(f"{left_out} edges are left out: outside the check, or beyond the first {limit}")
    console.print(f"report  {files.html}", soft_wrap=True, markup=False)
    return 0
