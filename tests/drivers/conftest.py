"""Two machines joined by a veth cable: processes in network namespaces of their own that run the target's calls."""
from __future__ import annotations

import ctypes
import importlib
import os
import signal
import subprocess
import traceback
from multiprocessing import Pipe
from multiprocessing.connection import Connection

import pytest

CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
DEADLINE_S = 20


class Machine:
    """A process in its own network namespace that runs calls: machine.net("link", interface="veth0")."""

    def __init__(self) -> None:
        self.pipe, theirs = Pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _serve(theirs)
        theirs.close()
        assert self._answer() == "ready"

    def _answer(self):
        if not self.pipe.poll(DEADLINE_S):
            raise TimeoutError("the machine gave no answer")
        kind, value = self.pipe.recv()
        if kind == "error":
            raise value
        return value

    def run(self, exerciser: str, name: str, /, **arguments):
        """Do a call and return its value; raise what it raised."""
        self.pipe.send((exerciser, name, arguments))
        return self._answer()

    def net(self, name: str, /, **arguments):
        return self.run("net", name, **arguments)

    def listening(self, name: str, /, **arguments):
        """Start a listening call, return when it is ready; finish() has its value."""
        assert self.run("net", name, **arguments) == "ready"
        return self

    def finish(self):
        self.pipe.send("go on")
        return self._answer()

    def close(self) -> None:
        self.pipe.close()
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def _serve(pipe: Connection) -> None:
    status = 1
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET | CLONE_NEWNS) != 0:
            raise PermissionError(ctypes.get_errno(), "network namespaces need root")
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        subprocess.run(["mount", "-t", "sysfs", "none", "/sys"], check=True)
        pipe.send(("value", "ready"))
        while True:
            exerciser, name, arguments = pipe.recv()
            pipe.send(_call(pipe, exerciser, name, arguments))
    except EOFError:
        status = 0
    except Exception as error:
        traceback.print_exc()
        pipe.send(("error", error))
    finally:
        os._exit(status)


def _call(pipe: Connection, exerciser: str, name: str, arguments: dict):
    from drivers.agent.call import kind

    try:
        function = getattr(importlib.import_module(f"drivers.{exerciser}.calls"), name)
        if kind(function) == "call":
            return ("value", function(**arguments))
        steps = function(**arguments)
        next(steps)
        pipe.send(("value", "ready"))
        assert pipe.recv() == "go on"
        try:
            next(steps)
        except StopIteration as stop:
            return ("value", stop.value)
        return ("error", RuntimeError(f"{name} yielded twice"))
    except Exception as error:
        return ("error", error)


@pytest.fixture(scope="session")
def machines():
    """(board, other): veth0 of the one is joined to veth1 of the other, both up, 10.9.0.1/24 and 10.9.0.2/24."""
    try:
        board = Machine()
    except PermissionError as error:
        pytest.skip(str(error))
    other = Machine()
    try:
        enter = ["nsenter", f"--net=/proc/{board.pid}/ns/net", "ip", "link", "add", "veth0", "type", "veth"]
        subprocess.run([*enter, "peer", "name", "veth1", "netns", str(other.pid)], check=True)
        for machine, interface, address in ((board, "veth0", "10.9.0.1"), (other, "veth1", "10.9.0.2")):
            machine.net("set_sysctl", name="ipv6/conf/default/accept_dad", value="0")
            machine.net("set_link", interface=interface, up=True)
            machine.net("add_address", interface=interface, address=address)
        board.net("wait_for_carrier", interface="veth0", wanted=True, timeout_s=5.0)
        yield board, other
    finally:
        board.close()
        other.close()


@pytest.fixture
def board(machines):
    return machines[0]


@pytest.fixture
def other(machines):
    return machines[1]
