"""A labgrid strategy: off → booted → agent.  A failed transition starts again at off."""
from __future__ import annotations

from typing import Any

import attr
from labgrid import target_factory
from labgrid.strategy import GraphStrategy

from bench.target.hardware import Hardware
from bench.target.protocol import BoardAccess


@target_factory.reg_driver
@attr.s(eq=False)
class BenchStrategy(GraphStrategy):  # type: ignore[misc]  # labgrid is untyped
    """Power, boot, and start the agent, for any board with drivers for power, console and, unless it is a twin, ssh.

    Args:
        ready: what the target's console says when user space is ready, a regular expression; "": the board's usual one
        prompt: what the console's shell says when it reads a command, where the agent is started there
        command: what starts the agent at the console's shell
        boot_timeout: seconds from power-on to `ready`
    """

    bindings = {  # noqa: RUF012  # labgrid's form
        "power": "PowerProtocol", "console": "ConsoleProtocol", "ssh": {"SSHDriver", None}}

    ready = attr.ib(default="", validator=attr.validators.instance_of(str))
    prompt = attr.ib(default="twin# ", validator=attr.validators.instance_of(str))
    command = attr.ib(default="bench-agent &", validator=attr.validators.instance_of(str))
    boot_timeout = attr.ib(default=60.0, validator=attr.validators.instance_of(float))

    _board: BoardAccess | None = None

    @property
    def board(self) -> BoardAccess:
        """The board: the power driver itself when it knows all of it, else what labgrid's drivers give.

        Raises BoardError when a driver is missing.
        """
        if self._board is None:
            whole: BoardAccess | None = getattr(self.power, "board_access", None)
            env = self.target.env.config_file if self.target.env else "env.yaml"
            self._board = whole or Hardware(self.power, self.console, self.ssh, env)
        return self._board

    def transition(self, state: str, via: list[str] | None = None) -> Any:
        """GraphStrategy deactivates all drivers on the way off; ssh goes first, it may wait for a dead target."""
        if state == "off" and self._board:
            self._board.disconnect()
        return super().transition(state, via)

    def invalidate(self) -> None:
        """The same after a transition that failed."""
        if self._board:
            self._board.disconnect()
        super().invalidate()

    def state_off(self) -> None:
        """No power."""
        self.board.off()

    @GraphStrategy.depends("off")
    def state_booted(self) -> None:
        """User space is ready."""
        self.board.on()
        self.board.boot(self.ready, self.boot_timeout)

    @GraphStrategy.depends("booted")
    def state_agent(self) -> None:
        """The agent's file is on the target and its process started."""
        self.board.start_agent(self.prompt, self.command, self.boot_timeout)
