"""Mark steps of a call in its trace: `step("the second transfer")`.   Ref: Documentation/trace/ftrace.rst"""
from __future__ import annotations

import os
from typing import Optional

PREFIX = "step: "  # of the mark's text, which other marks do not have


class Marker:
    """Where marks go: the trace_marker of the recording that is on."""

    def __init__(self) -> None:
        self.file: Optional[int] = None

    def step(self, name: str) -> None:
        """Mark that a step begins now; without a recording it costs next to nothing."""
        if self.file is not None:
            os.write(self.file, (PREFIX + name).encode()[:1000])


# A process has one recorder; handing a marker to every call would make each signature longer for the few that use it.
MARKER = Marker()
step = MARKER.step
