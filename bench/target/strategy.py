"""A labgrid strategy: off → booted → agent.  A failed transition starts again at off."""
from __future__ import annotations

import hashlib
import socket
from typing import Any

import attr
from labgrid import target_factory
from labgrid.strategy import GraphStrategy

from bench import setup
from bench.errors import TwinError
from bench.target import agent_file

FILE_S = 20.0  # for the agent's file to be taken


@target_factory.reg_driver
@attr.s(eq=False)
class BenchStrategy(GraphStrategy):  # type: ignore[misc]  # labgrid is untyped
    """Power, boot, and start the agent.

    Args:
        ready: what the target's console says when user space is ready
        prompt: what the console's shell says when it reads a command
        command: what starts the agent at the console's shell
        boot_timeout: seconds from power-on to `ready`
    """

    bindings = {"power": "PowerProtocol", "console": "ConsoleProtocol"}  # noqa: RUF012  # labgrid's form

    ready = attr.ib(default="bench: user space ready", validator=attr.validators.instance_of(str))
    prompt = attr.ib(default="twin# ", validator=attr.validators.instance_of(str))
    command = attr.ib(default="bench-agent &", validator=attr.validators.instance_of(str))
    boot_timeout = attr.ib(default=60.0, validator=attr.validators.instance_of(float))

    def state_off(self) -> None:
        """No power."""
        self.target.activate(self.power)
        self.power.off()

    @GraphStrategy.depends("off")
    def state_booted(self) -> None:
        """User space is ready, and the chips' windows lie where the devicetree says."""
        self.target.activate(self.power)
        self.target.activate(self.console)
        self.power.on()
        self.console.expect(self.ready, timeout=self.boot_timeout)
        self.power.twin.check_windows()

    @GraphStrategy.depends("booted")
    def state_agent(self) -> None:
        """The agent's file is on the target and its process started; its stream is `stream`."""
        content = agent_file.build(setup.prepare().target_python).read_bytes()
        head = f"{hashlib.sha256(content).hexdigest()} {len(content)}\n".encode()
        self.console.expect(self.prompt, timeout=self.boot_timeout)  # what is typed before the shell reads is lost
        self.console.sendline(self.command)
        self.stream.settimeout(FILE_S)
        try:
            self.stream.sendall(head + content)
        except TimeoutError:
            said = [line.text for line in self.console.log.since(0)][-3:]
            late = f"the target did not take the agent's file within {FILE_S:g} s; its console: {said}"
            raise TwinError(late) from None
        self.stream.settimeout(None)

    @property
    def stream(self) -> socket.socket:
        """The byte stream to the agent.  Raises TwinError when the twin is off."""
        stream: Any = self.power.twin.agent
        if stream is None:
            raise TwinError("the twin is off: there is no agent to talk to")
        assert isinstance(stream, socket.socket)
        return stream
