"""One thing that the kernel's own health shows of a check, and how bad it is."""
from __future__ import annotations

from dataclasses import dataclass

FAIL, WARN, INFO = "fail", "warn", "info"


@dataclass(frozen=True)
class HealthIssue:
    """`kind` is crash, splat, log, taint, counter, leak, irq, reset, chip, or declared (the check expected it).

    `severity`: `fail` fails the check, `warn` is shown, `info` is kept in the record.
    """

    kind: str
    text: str
    severity: str
