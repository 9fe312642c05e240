"""Everything that the bench raises on purpose.

    BenchError                 what a person should read: what is wrong, where, what to do
    ├── UsageError             the command line or a name in it is wrong              exit 64
    │   └── BoardError         a board's data is wrong: file:line: key: expected what  exit 64
    ├── Broken                 the rig or the bench failed, never the driver's fault   exit 3
    │   ├── SetupError         a package, the kernel or the target root could not be had
    │   ├── TwinError          QEMU or a chip's socket failed, with QEMU's own words
    │   └── ChannelError       the agent did not answer as the protocol says
    │       └── AgentDied      its process ended; it is restarted once
    ├── Hang                   the target gave no answer within a call's timeout: charged to the check
    ├── TargetError            a call raised on the target; carries its traceback
    ├── RecordError            a record, a trace or a page of it cannot be read: file, offset, reason
    └── Inconclusive           the witness that was needed cannot know
"""
from __future__ import annotations

import difflib
from collections.abc import Iterable


class BenchError(Exception):
    """Base of all; its text is one line for a person."""


class UsageError(BenchError):
    """The command line, or a name in it, is wrong."""

    @classmethod
    def unknown(cls, kind: str, name: str, known: Iterable[str]) -> UsageError:
        """Say that `name` is no `kind`, and which known name is nearest to it."""
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}"
        return cls(f"no {kind} named {name!r}; {hint}")


class BoardError(UsageError):
    """A board's data is wrong; the text starts with file:line: key."""


class Broken(BenchError):
    """The rig or the bench failed; says nothing about the driver."""


class SetupError(Broken):
    """A prerequisite could not be had."""


class TwinError(Broken):
    """QEMU or a chip's socket failed."""


class ChannelError(Broken):
    """The agent broke the protocol or the line to it was lost."""


class AgentDied(ChannelError):
    """The agent's process ended."""


class Hang(BenchError):
    """The target gave no answer within a call's deadline."""


class TargetError(BenchError):
    """A call raised on the target; the text ends with the traceback from there."""


class RecordError(BenchError):
    """A record or a trace cannot be read; names file, offset and reason."""


class Inconclusive(BenchError):
    """The witness that was needed cannot know."""
