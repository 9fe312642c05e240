"""Any board that labgrid holds: power, console and network by its protocols, the agent over ssh.

The agent is a process on the target whose standard input and output are the frame stream; ssh reaches it through the
control socket of labgrid's SSHDriver, so that proxies, keys and places of a lab work as they do for labgrid.
"""
from __future__ import annotations

import contextlib
import shlex
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pexpect
from labgrid.binding import BindingState

from bench.errors import BoardError, Broken
from bench.health import RESET, crash_in
from bench.target import agent_file
from bench.target.console import ConsoleLog
from fixtures.cable import Cable
from fixtures.chip import Chip

READY = r"login: ?$"
DRIFT_PPM = 200  # two crystals of 50 ppm each, and as much again for a clock that is being set right
COPY_S = 60.0  # for the agent's file, over a slow line
OLDEST = (3, 8)  # Python of the target
EXIT_S = 5.0  # for ssh's master, which is a local process
POLL_S = 0.1
# Answers the user's id and Python's version, then takes the agent's file into a folder of its own and names that.
RECEIVE = """id -u; python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' && \
d=$(mktemp -d /tmp/bench-XXXXXX) && cat > $d/agent.pyz && echo $d"""


class Hardware:
    """A board of a lab.   See BoardAccess for what each member is.

    Args:
        power, console, ssh: labgrid's drivers, the last one may be missing
        env: the path of the environment, for errors
    """

    drift_ppm = DRIFT_PPM
    kernel_config = ""

    def __init__(self, power: Any, console: Any, ssh: Any, env: str) -> None:
        if ssh is None:
            raise BoardError(f"{env}: drivers: no SSHDriver: the agent of a real board runs over ssh; add a "
                             "NetworkService resource and an SSHDriver")
        self._power, self._console, self._ssh, self._env = power, console, ssh, env
        self.chips: Mapping[str, Chip] = {}
        self.cables: Mapping[str, Cable] = {}
        self.attachments: Mapping[str, Any] = {}
        self.power_on_ns = 0
        self.console: ConsoleLog | None = None
        self._port: _ConsolePort | None = None
        self._agent: _SshProcess | None = None

    @property
    def agent(self) -> socket.socket:
        if self._agent is None:
            raise Broken("the board is off: there is no agent to talk to")
        return self._agent.stream

    @property
    def alive(self) -> bool:
        return self._agent is not None and self._agent.process.poll() is None

    def on(self) -> None:
        target = self._power.target
        with self._labgrid("power and console"):
            target.activate(self._power)
            target.activate(self._console)
            self.power_on_ns = time.monotonic_ns()
            self._power.on()
        self._port = _ConsolePort(self._console)
        self.console = ConsoleLog(self._port)

    def off(self) -> None:
        self.disconnect()
        if self._port:
            self._port.close()
            self._port = None
        with self._labgrid("power off"):
            self._power.target.activate(self._power)
            self._power.off()

    def boot(self, ready: str, timeout_s: float) -> None:
        assert self.console
        if not self.console.wait_for(ready or READY, timeout_s):
            lines = [line.text for line in self.console.since(self.power_on_ns)]
            crash = crash_in(text for text in lines if not RESET.search(text))
            if crash:
                raise Broken(f"the kernel crashed while it booted: {crash.text}")
            raise Broken(f"{self._env}: BenchStrategy: ready: the console did not say {ready or READY!r} within "
                         f"{timeout_s:g} s; its last lines: {lines[-3:]}")

    def start_agent(self, prompt: str, command: str, timeout_s: float) -> None:
        service = self._ssh.networkservice
        with self._labgrid(f"ssh {service.username}@{service.address} port {service.port}"):
            self._power.target.activate(self._ssh)
        folder = self._receive(agent_file.build())
        self._agent = _SshProcess(self._command(
            f"python3 -I {folder}/agent.pyz; status=$?; rm -rf {folder}; exit $status"))

    def death(self) -> Broken:
        return Broken(f"ssh to the target ended: {self._agent.words() if self._agent else 'the board is off'}")

    def ends_within(self, seconds: float) -> bool:
        if self._agent:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._agent.process.wait(seconds)
        return not self.alive

    def settle(self) -> None:
        """Nothing is modelled."""

    def show_blocked_tasks(self) -> None:
        """labgrid's console protocol has no break to send, with which SysRq begins."""

    def model_errors(self) -> list[str]:
        return []

    def _receive(self, file: Path) -> str:
        """Copy the agent's file and check who and what it will run as; returns its folder on the target."""
        try:
            done = subprocess.run(self._command(RECEIVE), input=file.read_bytes(), capture_output=True, timeout=COPY_S)
        except subprocess.TimeoutExpired:
            raise Broken(f"{self._env}: the target did not take the agent's file within {COPY_S:g} s") from None
        user, version, folder, *_ = [*done.stdout.decode("utf-8", "replace").split(), "", "", ""]
        error = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"status {done.returncode}"]
        if user not in ("", "0"):
            raise Broken(f"{self._env}: NetworkService: username: user id {user} on the target, expected root: the "
                         "agent binds drivers, loads modules and traces")
        if not version:
            raise Broken(f"{self._env}: no python3 on the target ({error[0]}): install Python 3.8 or later there")
        if tuple(map(int, version.split("."))) < OLDEST:
            raise Broken(f"{self._env}: the target's python3 is {version}, expected 3.8 or later: install it there")
        if not folder:
            raise Broken(f"{self._env}: the target did not take the agent's file: {error[0]}")
        return folder

    def disconnect(self) -> None:
        """End the agent and labgrid's ssh, which would wait a minute for a dead target unless its master ends first."""
        if self._agent:
            self._agent.close()
            self._agent = None
        control = getattr(self._ssh, "control", None)
        with contextlib.suppress(Exception):  # the line may be dead, and ssh with it
            if control and self._ssh.state == BindingState.active:
                service = self._ssh.networkservice
                subprocess.run([self._tool, *self._ssh.ssh_prefix, "-O", "exit", service.address],
                               capture_output=True, timeout=EXIT_S)
            self._power.target.deactivate(self._ssh)

    @property
    def _tool(self) -> str:
        """The environment's ssh."""
        return str(self._power.target.env.config.get_tool("ssh"))

    def _command(self, command: str) -> list[str]:
        """The ssh command that runs `command` in the target's shell."""
        service = self._ssh.networkservice
        user = self._ssh.username or service.username
        return [self._tool, "-x", *self._ssh.ssh_prefix, "-p", str(service.port), "-l", user, service.address,
                f"sh -c {shlex.quote(command)}"]

    @contextlib.contextmanager
    def _labgrid(self, what: str) -> Iterator[None]:
        """Turn any exception of labgrid's drivers into Broken."""
        try:
            yield
        except Exception as e:
            reason = f"{e}; {e.__cause__}" if e.__cause__ else str(e) or type(e).__name__
            raise Broken(f"{self._env}: {what}: {' '.join(reason.split())}") from e


class _SshProcess:
    """A process on the target; its standard input and output are one stream here."""

    def __init__(self, command: list[str]) -> None:
        self.stream, theirs = socket.socketpair()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the process
        with theirs:
            self.process = subprocess.Popen(command, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=self._errors,
                                            start_new_session=True)

    def words(self) -> str:
        """Its exit status and last line of standard error."""
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return f"status {self.process.poll()}: {lines[-1] if lines else 'no output'}"

    def close(self) -> None:
        """End it."""
        self.stream.close()
        self.process.terminate()
        try:
            self.process.wait(2.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._errors.close()


class _ConsolePort:
    """A labgrid console as ConsoleLog's thread reads it: by the drivers' own `_read`, since labgrid's steps, which
    the public `read` is, are not for threads."""

    def __init__(self, console: Any) -> None:
        self._console, self._closed = console, False

    def recv(self, size: int) -> bytes:
        """What came, b"" when the console is gone or was closed."""
        while not self._closed:
            try:
                data = bytes(self._console._read(size=1, timeout=POLL_S, max_size=size))
            except pexpect.TIMEOUT:
                continue
            except Exception:  # a driver may raise anything for a closed port
                return b""
            if data:
                return data
            time.sleep(POLL_S)  # some drivers return nothing at once instead of waiting
        return b""

    def close(self) -> None:
        """Let the thread end."""
        self._closed = True
