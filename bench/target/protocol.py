"""The interface between a rig and its board: all that the rig and the plugin need.

Two boards implement it: `twin_driver.TwinDriver` (QEMU and chip models) and `hardware.Hardware` (any board that labgrid
can power, read the console of, and reach by ssh). Nothing to the right of bench.target asks which of them it holds.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from bench.errors import Broken
from bench.target.console import ConsoleLog
from fixtures.cable import Cable
from fixtures.chip import Chip


class Stream(Protocol):
    """A connected byte stream: a socket has it."""

    def fileno(self) -> int: ...
    def sendall(self, data: bytes, /) -> None: ...
    def recv(self, size: int, /) -> bytes: ...


class BoardAccess(Protocol):
    """A board as a rig holds it."""

    drift_ppm: int  # of the target's CLOCK_MONOTONIC against the host's, at most

    @property
    def chips(self) -> Mapping[str, Chip]:
        """The chip models by device name; empty where the chips are real."""

    @property
    def cables(self) -> Mapping[str, Cable]:
        """The Ethernet cables whose far end the bench holds, by name; empty where they end in the lab's network."""

    @property
    def attachments(self) -> Mapping[str, Any]:
        """How each chip model is attached, by device name, to measure with; empty where the chips are real."""

    @property
    def kernel_config(self) -> str:
        """Hash of the configuration of the kernel that the bench built for it; "" where it boots another."""

    @property
    def power_on_ns(self) -> int:
        """When power came last [ns, host's CLOCK_MONOTONIC]."""

    @property
    def console(self) -> ConsoleLog | None:
        """What came over the console since power-on; None before the first."""

    @property
    def agent(self) -> Stream:
        """The byte stream to the agent.  Raises Broken when no agent runs."""

    @property
    def alive(self) -> bool:
        """Whether what carries the target and the agent's stream still runs."""

    def on(self) -> None:
        """Power on, and drain the console from the first byte."""

    def off(self) -> None:
        """Power off; nothing of an agent is left."""

    def disconnect(self) -> None:
        """End the connection to the agent at once, whether or not the target still answers."""

    def boot(self, ready: str, timeout_s: float) -> None:
        """Wait until the console says that user space is ready, and check what must hold then.

        `ready`: a regular expression, "" for the board's usual one.  Raises Broken.
        """

    def start_agent(self, prompt: str, command: str, timeout_s: float) -> None:
        """Copy the agent's file and start it.  Raises Broken with the target's output otherwise.

        `prompt`, `command`: how to start it where that is done at the console's shell.
        """

    def death(self) -> Broken:
        """The error with the cause of its death."""

    def ends_within(self, seconds: float) -> bool:
        """Whether it is not alive any more, or will not be within `seconds`."""

    def settle(self) -> None:
        """Wait until what the target's drivers have posted has reached the chip models."""

    def show_blocked_tasks(self) -> None:
        """Have a hung kernel print its blocked tasks and its processors' stacks, if there is a way to ask it."""

    def model_errors(self) -> list[str]:
        """Tracebacks of errors in the chip models' own code: the bench's fault, never the driver's."""
