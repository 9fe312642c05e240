"""Calls on a serial port whose far end echoes everything, through pyserial.   Ref: termios(3)"""
from __future__ import annotations

from typing import Any

from drivers.agent.call import call
from drivers.uapi import tty


def _open(port: str, baud: int, rtscts: bool, timeout_s: float) -> Any:
    # Imported here: the host imports this module for its calls and need not have the library.
    from serial import Serial  # type: ignore[import-untyped]

    opened = Serial("/dev/" + port, baud, rtscts=rtscts, timeout=timeout_s)
    opened.reset_input_buffer()
    return opened


@call
def identity(*, port: str) -> tty.Identity:
    """The driver bound to the port's device, and the device's name."""
    return tty.identity(port)


@call
def echo(
    data: bytes, baud: int = 115200, rtscts: bool = False, timeout_s: float = 2.0, *, port: str
) -> tty.Echo:
    """Send `data` and read as many characters."""
    with _open(port, baud, rtscts, timeout_s) as opened:
        return tty.echo(opened, data)


@call
def bulk(
    count: int,
    seed: int = 1,
    baud: int = 115200,
    rtscts: bool = True,
    timeout_s: float = 5.0,
    *,
    port: str,
) -> tty.Run:
    """Send `count` random characters and compare what is read; `timeout_s` is for each read."""
    with _open(port, baud, rtscts, timeout_s) as opened:
        return tty.bulk(opened, count, seed)
