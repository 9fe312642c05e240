"""The real agent, as a process of this machine, over a socket pair."""
import socket
import subprocess
import sys

import pytest

from bench.rig.channel import Channel
from bench.target import agent_file


class LocalAgent:
    """The agent's file run by this Python; its standard input and output are the stream."""

    def __init__(self):
        self.ours, theirs = socket.socketpair()
        self.process = subprocess.Popen([sys.executable, "-I", str(agent_file.build())], stdin=theirs, stdout=theirs)
        theirs.close()
        self.channel = Channel(self.ours)

    def call(self, name, deadline_s=10.0, **arguments):
        return self.channel.exchange({"id": 1, "call": name, "arguments": arguments}, deadline_s)

    def close(self):
        self.ours.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture
def agent():
    local = LocalAgent()
    yield local
    local.close()
