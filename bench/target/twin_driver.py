"""A labgrid driver that holds a twin: power and console of a board that is QEMU and chip models."""
from __future__ import annotations

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
from bench.target.console import ConsoleLog
from bench.twin import Twin


@target_factory.reg_driver
@attr.s(eq=False)
class TwinDriver(ConsoleExpectMixin, Driver, PowerProtocol, ConsoleProtocol):  # type: ignore[misc]  # labgrid is untyped
    """Power and console of the twin of `board`.

    Args:
        board: name of a folder in boards/, or the path of one
    """

    board = attr.ib(validator=attr.validators.instance_of(str))
    txdelay = attr.ib(default=0.0, validator=attr.validators.instance_of(float))
    txchunk = attr.ib(default=1, validator=attr.validators.instance_of(int))

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.log: ConsoleLog | None = None
        self._twin: Twin | None = None

    @property
    def twin(self) -> Twin:
        """The twin with its chips, made at first use; it outlives power cycles."""
        if self._twin is None:
            self._twin = Twin(board.load(self.board), setup.prepare())
        return self._twin

    def on_deactivate(self) -> None:
        if self._twin:
            self._twin.off()

    @Driver.check_active
    @step()
    def on(self) -> None:
        """Start QEMU, drain its console, forget what expect() had of an earlier boot."""
        if self.twin.alive:
            return
        self.twin.on()
        assert self.twin.console
        self.log = ConsoleLog(self.twin.console)
        self._expect = PtxExpect(self)

    @Driver.check_active
    @step()
    def off(self) -> None:
        """Stop QEMU; nothing of it is left."""
        if self._twin:
            self._twin.off()

    @Driver.check_active
    @step()
    def cycle(self) -> None:
        """Stop and start."""
        self.off()
        self.on()

    def get(self) -> bool:
        """Whether the twin is powered."""
        return self.twin.alive

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

