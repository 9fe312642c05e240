"""Calls on a serial port, through pyserial.   Ref: termios(3), tty_ioctl(4)

A port is named as in /dev: ttyS0.  A format is as in 8N1: word length, parity (N, E, O, M, S), stop
bits. The port has a loop-back plug: TxD to RxD, RTS to CTS, DTR to DSR and DCD.
"""
from __future__ import annotations

import fcntl
import struct
import termios
import time
from collections.abc import Generator
from typing import Any, TypedDict

from drivers.agent.call import call, listen
from drivers.uapi import tty

_TIOCM_LOOP = 0x8000
_TCGETS2 = 0x802C542A
_SETTLE_S = 0.05
_PARMRK = termios.PARMRK | termios.INPCK


class Received(TypedDict):
    """The characters received, and the counters that have changed."""

    data: bytes
    counters: dict[str, int]


class Configured(TypedDict):
    """The format that termios has, the rate that the driver has set, and the character that came
    back.
    """

    format: str
    speed: int
    received: bytes


class FlowControlled(TypedDict):
    """How many characters were held in the output queue, the seconds until they were sent, and
    their echo.
    """

    held: int
    seconds: float
    echo: bytes


def _open(
    port: str,
    baud: int = 115200,
    format: str = "8N1",
    rtscts: bool = False,
    xonxoff: bool = False,
    timeout_s: float = 1.0,
) -> Any:
    # Imported here: the host imports this module for its calls and need not have the library.
    from serial import Serial  # type: ignore[import-untyped]

    opened = Serial(
        "/dev/" + port,
        baud,
        int(format[0]),
        format[1],
        float(format[2:]),
        timeout_s,
        xonxoff,
        rtscts,
    )
    opened.reset_input_buffer()
    return opened


@call
def identity(*, port: str) -> tty.Identity:
    """The driver bound to the port's device, and the device's name."""
    return tty.identity(port)


@call
def echo(
    data: bytes,
    baud: int = 115200,
    format: str = "8N1",
    rtscts: bool = False,
    xonxoff: bool = False,
    timeout_s: float = 2.0,
    *,
    port: str,
) -> tty.Echo:
    """Send `data` and read as many characters."""
    with _open(port, baud, format, rtscts, xonxoff, timeout_s) as opened:
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
    with _open(port, baud, rtscts=rtscts, timeout_s=timeout_s) as opened:
        return tty.bulk(opened, count, seed)


@call
def configure(baud: int, format: str = "8N1", *, port: str) -> Configured:
    """Set rate and format, and send one character with them."""
    with _open(port, baud, format, timeout_s=0.5) as opened:
        flags = termios.tcgetattr(opened.fileno())[2]
        opened.write(b"\x15")
        bits = {termios.CS5: 5, termios.CS6: 6, termios.CS7: 7, termios.CS8: 8}[
            flags & termios.CSIZE
        ]
        odd = "O" if flags & termios.PARODD else "E"
        parity = odd if flags & termios.PARENB else "N"
        stop = 2 if flags & termios.CSTOPB else 1
        return {
            "format": f"{bits}{parity}{stop}",
            "received": opened.read(1),
            "speed": _speed(opened),
        }


def _speed(opened: tty.Port) -> int:
    """The rate that the driver has set: c_ospeed of struct termios2."""
    raw = fcntl.ioctl(opened.fileno(), _TCGETS2, bytes(44))
    return int(struct.unpack_from("<I", raw, 40)[0])


@listen
def receive(
    count: int,
    baud: int = 115200,
    format: str = "8N1",
    mark_errors: bool = False,
    timeout_s: float = 1.0,
    *,
    port: str,
) -> Generator[None, None, Received]:
    """Read `count` characters that come from outside.

    `mark_errors`: the tty puts 255, 0 in front of a character with an error (termios PARMRK,
    INPCK).
    """
    with _open(port, baud, format, timeout_s=timeout_s) as opened:
        if mark_errors:
            settings = termios.tcgetattr(opened.fileno())
            settings[0] = (settings[0] | _PARMRK) & ~(termios.IGNPAR | termios.IGNBRK)
            termios.tcsetattr(opened.fileno(), termios.TCSANOW, settings)
        before = tty.counters(opened)
        yield
        received = opened.read(count)
        return {"data": received, "counters": tty.changed(opened, before)}


@call
def send_break(*, port: str) -> Received:
    """Send a break and read what the plug brings back."""
    with _open(port, timeout_s=0.5) as opened:
        before = tty.counters(opened)
        opened.break_condition = True
        received = opened.read(1)
        opened.break_condition = False
        return {"data": received, "counters": tty.changed(opened, before)}


@call
def internal_loopback(data: bytes, *, port: str) -> bytes:
    """Send with the UART's internal loop-back enabled (TIOCM_LOOP), and read what comes back."""
    loop = struct.pack("I", _TIOCM_LOOP)
    with _open(port) as opened:
        fcntl.ioctl(opened.fileno(), termios.TIOCMBIS, loop)
        try:
            opened.write(data)
            return bytes(opened.read(len(data)))
        finally:
            fcntl.ioctl(opened.fileno(), termios.TIOCMBIC, loop)


@call
def modem_lines(states: list[dict[str, bool]], *, port: str) -> list[dict[str, bool]]:
    """Set {"rts", "dtr"} to each state; {"cts", "dsr", "cd"} after each."""
    levels = []
    with _open(port) as opened:
        for state in states:
            opened.rts, opened.dtr = state["rts"], state["dtr"]
            levels.append({"cts": opened.cts, "dsr": opened.dsr, "cd": opened.cd})
    return levels


@listen
def send_when_cts(
    data: bytes, timeout_s: float = 2.0, *, port: str
) -> Generator[None, None, FlowControlled]:
    """Send with RTS/CTS flow control while CTS is inactive.

    After the host has activated it, wait until all is sent.
    """
    with _open(port, rtscts=True, timeout_s=timeout_s) as opened:
        opened.write(data)
        time.sleep(_SETTLE_S)  # time in which nothing must be sent
        held = tty.queued(opened)
        yield
        seconds = tty.drain(opened, timeout_s)
        return {"held": held, "seconds": seconds, "echo": opened.read(len(data))}


@listen
def send_when_xon(
    data: bytes, timeout_s: float = 2.0, *, port: str
) -> Generator[None, None, FlowControlled]:
    """Stop the output with an XOFF through the plug, and send.

    After the host's XON wait until all is sent.
    """
    with _open(port, xonxoff=True, timeout_s=timeout_s) as opened:
        opened.write(b"\x13.")
        opened.read(1)  # the full stop follows the XOFF, which has taken effect by now
        opened.write(data)
        time.sleep(_SETTLE_S)
        held = tty.queued(opened)
        yield
        seconds = tty.drain(opened, timeout_s)
        return {"held": held, "seconds": seconds, "echo": opened.read(len(data))}
