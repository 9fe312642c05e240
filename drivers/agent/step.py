"""Mark steps of a call in its trace: `step("the second transfer")`.

Ref: Documentation/trace/ftrace.rst
"""
from __future__ import annotations

import os

PREFIX = "step: "  # of the mark's text, which other marks do not have


class Marker:
    """Where marks go: the trace_marker of the recording that is on."""

    def __init__(self) -> None:
        self.file: int | None = None

    def step(self, name: str) -> None:
        """Mark that a step begins now; nearly free without a recording."""
        if self.file is not None:
            os.write(self.file, (PREFIX + name).encode()[:1000])


# One per process: a marker as an argument of every call would lengthen each signature
# for the few that use it.
MARKER = Marker()
step = MARKER.step
