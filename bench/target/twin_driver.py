"""A labgrid driver that holds a twin: power and console of a board that is QEMU and chip models.

It is the whole board, too (bench.target.protocol.BoardAccess).
"""
from __future__ import annotations

import hashlib
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attr
import pexpect
from labgrid import target_factory
from labgrid.driver import Driver
from labgrid.driver.consoleexpectmixin import ConsoleExpectMixin
from labgrid.protocol import ConsoleProtocol, PowerProtocol
from labgrid.step import step
from labgrid.util import PtxExpect

from bench import board, setup
from bench.errors import TwinError
from bench.health import RESET, crash_in
from bench.target import agent_file
from bench.target.console import ConsoleLog
from bench.twin import Twin
from fixtures.cable import Cable
from fixtures.chip import Chip

READY = "bench: user space ready"
FILE_S = 20.0  # for the agent's file to be taken
DRIFT_PPM = 1  # the guest's timer is counted off the host's CLOCK_MONOTONIC; its kernel rounds


@target_factory.reg_driver
@attr.s(eq=False)
class TwinDriver(ConsoleExpectMixin, Driver, PowerProtocol, ConsoleProtocol):  # type: ignore[misc]  # labgrid is untyped
    """Power and console of the twin of `board`.

    Args:
        board: name of a folder in boards/, or the path of one; by default the folder of the environment file
    """

    board = attr.ib(default="", validator=attr.validators.instance_of(str))
    txdelay = attr.ib(default=0.0, validator=attr.validators.instance_of(float))
    txchunk = attr.ib(default=1, validator=attr.validators.instance_of(int))
    drift_ppm = DRIFT_PPM

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.log: ConsoleLog | None = None
        self._twin: Twin | None = None
        if not self.board:
            self.board = str(Path(self.target.env.config_file).resolve().parent)

    @property
    def twin(self) -> Twin:
        """The twin with its chips, made at first use; it outlives power cycles."""
        if self._twin is None:
            self._twin = Twin(board.load(self.board), setup.prepare())
        return self._twin

    @property
    def board_access(self) -> TwinDriver:
        """The board, of which power is only a part."""
        return self

    def on_deactivate(self) -> None:
        if self._twin:
            self._twin.off()

    # power

    def on(self) -> None:
        """Start QEMU, drain its console, forget what expect() had of an earlier boot."""
        self.target.activate(self)
        if self.alive:
            return
        self.twin.on()
        assert self.twin.console
        self.log = ConsoleLog(self.twin.console)
        self._expect = PtxExpect(self)

    @step()
    def off(self) -> None:
        """Stop QEMU; nothing of it is left."""
        if self._twin:
            self._twin.off()

    def disconnect(self) -> None:
        """The stream ends with the twin."""

    def cycle(self) -> None:
        """Stop and start."""
        self.off()
        self.on()

    def get(self) -> bool:
        """Whether the twin is powered."""
        return self.alive

    # boot and agent

    def boot(self, ready: str, timeout_s: float) -> None:
        try:
            self.expect(ready or READY, timeout=timeout_s)
        except pexpect.TIMEOUT:
            late = f"the console did not say {ready or READY!r} within {timeout_s:g} s; {self._words()}"
            raise TwinError(late) from None
        self.twin.check_windows()

    def start_agent(self, prompt: str, command: str, timeout_s: float) -> None:
        content = agent_file.build(setup.prepare().target_python).read_bytes()
        head = f"{hashlib.sha256(content).hexdigest()} {len(content)}\n".encode()
        self.expect(prompt, timeout=timeout_s)  # what is typed before the shell reads is lost
        self.sendline(command)
        self.agent.settimeout(FILE_S)
        try:
            self.agent.sendall(head + content)
        except TimeoutError:
            raise TwinError(f"the target did not take the agent's file within {FILE_S:g} s; {self._words()}") from None
        self.agent.settimeout(None)

    @property
    def agent(self) -> socket.socket:
        if self.twin.agent is None:
            raise TwinError("the twin is off: there is no agent to talk to")
        return self.twin.agent

    def _words(self) -> str:
        lines = [line.text for line in self.log.since(0)] if self.log else []
        return f"its last lines: {lines[-3:]}"

    # what is known of it

    @property
    def chips(self) -> Mapping[str, Chip]:
        return self.twin.chips

    @property
    def cables(self) -> Mapping[str, Cable]:
        return self.twin.cables

    @property
    def attachments(self) -> Mapping[str, Any]:
        return self.twin.attachments

    @property
    def kernel_config(self) -> str:
        return setup.prepare().config_hash

    @property
    def power_on_ns(self) -> int:
        return self.twin.power_on_ns

    @property
    def console(self) -> ConsoleLog | None:
        return self.log

    @property
    def alive(self) -> bool:
        return self._twin is not None and self._twin.alive

    def death(self) -> TwinError:
        return self.twin.death()

    def ends_within(self, seconds: float) -> bool:
        return self.twin.ends_within(seconds)

    def settle(self) -> None:
        self.twin.settle()

    def model_errors(self) -> list[str]:
        return self.twin.chip_errors()

    def show_blocked_tasks(self) -> None:
        if self.alive:
            self.twin.show_blocked_tasks()

    # the console, for labgrid

    def _read(self, size: int = 1, timeout: float = 0.0, max_size: int | None = None) -> bytes:
        if self.log is None:
            raise pexpect.EOF("the twin is off: nothing to read from its console")
        data = self.log.read(max_size or max(size, 4096), timeout)
        if data:
            return data
        if self.log.closed:
            crash = crash_in(line.text for line in self.log.since(self.twin.power_on_ns) if not RESET.search(line.text))
            raise TwinError(f"the kernel crashed while it booted: {crash.text}") if crash else self.twin.death()
        raise pexpect.TIMEOUT(f"nothing came from the twin's console for {timeout:.2f} s")

    def _write(self, data: bytes) -> int:
        if self.twin.console is None:
            raise pexpect.EOF("the twin is off: nothing to write to")
        self.twin.console.sendall(data)
        return len(data)

    def __str__(self) -> str:
        return f"TwinDriver({self.board})"
