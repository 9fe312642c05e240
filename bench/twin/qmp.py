"""The few QMP commands that the bench needs.   Ref: QEMU docs/interop/qmp-spec.rst

By hand: labgrid.util.qmp (26.0.1) raises TypeError for an error reply, so that QEMU's description of it is lost.
"""
from __future__ import annotations

import json
import socket
from typing import Any

from bench.errors import TwinError


class Qmp:
    """A QMP session over a connected socket; one command at a time."""

    def __init__(self, connection: socket.socket, timeout_s: float = 5.0) -> None:
        self.connection = connection
        connection.settimeout(timeout_s)
        self.lines = connection.makefile("rb")
        self._line()  # the greeting
        self.command("qmp_capabilities")

    def command(self, name: str, **arguments: Any) -> Any:
        """Run a command and return its value; raises TwinError with QEMU's description."""
        request = {"execute": name, "arguments": {k.replace("_", "-"): v for k, v in arguments.items()}}
        try:
            self.connection.sendall(json.dumps(request).encode() + b"\n")
            while True:
                reply = self._line()
                if "return" in reply:
                    return reply["return"]
                if "error" in reply:
                    raise TwinError(f"QEMU: {name}: {reply['error']['desc']}")
        except OSError as e:
            raise TwinError(f"QEMU gave no answer to {name}: {e}") from e

    def close(self) -> None:
        """Close the session."""
        self.lines.close()
        self.connection.close()

    def _line(self) -> dict[str, Any]:
        line = self.lines.readline(1 << 20)
        if not line:
            raise TwinError("QEMU closed its monitor")
        value = json.loads(line)
        assert isinstance(value, dict)
        return value
