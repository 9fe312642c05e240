"""Calls on a serial port, through pyserial.   Ref: termios(3), tty_ioctl(4)

A port is named as in /dev: ttyS0. A format is as in 8N1: word length, parity (N, E, O, M, S), stop bits. A loop-back
plug (TxD to RxD, RTS to CTS) is in the port's socket.
"""
from __future__ import annotations

import array
import fcntl
import os
import random
import struct
import termios
import threading
import time
from typing import Any, Dict, Generator, List

from drivers.agent.call import call, listen

_TIOCGICOUNT = 0x545D
_TIOCM_LOOP = 0x8000
_COUNTERS = ("cts", "dsr", "rng", "dcd", "rx", "tx", "frame", "overrun", "parity", "brk", "buf_overrun")
_SETTLE_S = 0.05
_GATHER_S = 0.01  # waking for every sixteen characters, a program leaves an emulated processor no time for the driver


def _open(port: str, baud: int = 115200, format: str = "8N1", rtscts: bool = False, xonxoff: bool = False,
          timeout_s: float = 1.0) -> Any:
    # Here and not on top: the host reads this module for its calls and need not have the library.
    from serial import Serial  # type: ignore[import-untyped]

    opened = Serial("/dev/" + port, baud, int(format[0]), format[1], float(format[2:]), timeout_s, xonxoff, rtscts)
    opened.reset_input_buffer()
    return opened


def _counters(opened: Any) -> Dict[str, int]:
    raw = fcntl.ioctl(opened.fileno(), _TIOCGICOUNT, bytes(20 * 4))
    return dict(zip(_COUNTERS, struct.unpack_from("%di" % len(_COUNTERS), raw)))


def _since(opened: Any, before: Dict[str, int]) -> Dict[str, int]:
    """Counters that have changed."""
    return {name: count - before[name] for name, count in _counters(opened).items() if count != before[name]}


def _waiting(opened: Any) -> int:
    """How many characters the kernel has still to send."""
    count = array.array("i", [0])
    fcntl.ioctl(opened.fileno(), termios.TIOCOUTQ, count)
    return count[0]


def _drain(opened: Any, timeout_s: float) -> float:
    """Wait until all is sent; how long that took, s.  Raises TimeoutError."""
    began = time.monotonic()
    while _waiting(opened):
        if time.monotonic() - began > timeout_s:
            raise TimeoutError("%d characters were not sent within %s s" % (_waiting(opened), timeout_s))
        time.sleep(0.001)  # tcdrain has no timeout
    return time.monotonic() - began


@call
def identity(*, port: str) -> Dict[str, str]:
    """The driver bound to the port's device, and the device's name."""
    device = os.path.realpath("/sys/class/tty/%s/device" % port)
    while device != "/" and not os.path.islink(device + "/driver"):
        device = os.path.dirname(device)  # since 6.5 a port has devices of its own between it and the hardware's
    return {"device": os.path.basename(device), "driver": os.path.basename(os.path.realpath(device + "/driver"))}


@call
def echo(data: bytes, baud: int = 115200, format: str = "8N1", rtscts: bool = False, xonxoff: bool = False,
         timeout_s: float = 2.0, *, port: str) -> Dict[str, Any]:
    """Send `data` and read as much; what came, the counters that changed, and the seconds it took."""
    with _open(port, baud, format, rtscts, xonxoff, timeout_s) as opened:
        before, began = _counters(opened), time.monotonic()
        writer = threading.Thread(target=opened.write, args=(data,))
        writer.start()
        got = opened.read(len(data))
        writer.join()
        return {"data": got, "seconds": time.monotonic() - began, "counters": _since(opened, before)}


@call
def bulk(count: int, seed: int = 1, baud: int = 115200, rtscts: bool = True, timeout_s: float = 5.0, *,
         port: str) -> Dict[str, Any]:
    """Send `count` random characters and compare what comes; how many came, where the first wrong one is (-1: none).

    `timeout_s` is how long to wait for each next part.
    """
    sent = random.Random(seed).getrandbits(8 * count).to_bytes(count, "little")
    got = bytearray()
    with _open(port, baud, rtscts=rtscts, timeout_s=timeout_s) as opened:
        before, began = _counters(opened), time.monotonic()
        writer = threading.Thread(target=opened.write, args=(sent,))
        writer.start()
        while len(got) < count:
            time.sleep(_GATHER_S)
            part = opened.read(max(1, min(opened.in_waiting, count - len(got))))
            if not part:
                opened.cancel_write()  # before the kernel's buffer has room again, or the rest follows
                opened.reset_output_buffer()
                break
            got += part
        writer.join()
        extra = opened.in_waiting
        wrong = next((i for i, (one, other) in enumerate(zip(sent, got)) if one != other), -1)
        return {"got": len(got) + extra, "wrong": wrong, "seconds": time.monotonic() - began,
                "counters": _since(opened, before)}


@call
def configure(baud: int, format: str = "8N1", *, port: str) -> Dict[str, Any]:
    """Set rate and format; what the driver has made of them, as termios has it, and one character sent with them."""
    with _open(port, baud, format, timeout_s=0.5) as opened:
        flags = termios.tcgetattr(opened.fileno())[2]
        opened.write(b"\x15")
        bits = {termios.CS5: 5, termios.CS6: 6, termios.CS7: 7, termios.CS8: 8}[flags & termios.CSIZE]
        odd = "O" if flags & termios.PARODD else "E"
        parity = odd if flags & termios.PARENB else "N"
        stop = 2 if flags & termios.CSTOPB else 1
        return {"format": "%d%s%d" % (bits, parity, stop), "got": opened.read(1), "speed": _speed(opened)}


def _speed(opened: Any) -> int:
    """The rate that the driver has set: c_ospeed of struct termios2."""
    raw = fcntl.ioctl(opened.fileno(), 0x802C542A, bytes(44))  # TCGETS2
    return int(struct.unpack_from("<I", raw, 40)[0])


@listen
def hear(count: int, baud: int = 115200, format: str = "8N1", mark_errors: bool = False, timeout_s: float = 1.0, *,
         port: str) -> Generator[None, None, Dict[str, Any]]:
    """Read `count` characters that come from outside; what came, and the counters that changed.

    `mark_errors` has the terminal put 255, 0 in front of a character with an error (termios PARMRK, INPCK).
    """
    with _open(port, baud, format, timeout_s=timeout_s) as opened:
        if mark_errors:
            settings: List[Any] = termios.tcgetattr(opened.fileno())
            settings[0] = (settings[0] | termios.PARMRK | termios.INPCK) & ~(termios.IGNPAR | termios.IGNBRK)
            termios.tcsetattr(opened.fileno(), termios.TCSANOW, settings)
        before = _counters(opened)
        yield
        got = opened.read(count)
        return {"data": got, "counters": _since(opened, before)}


@call
def send_break(*, port: str) -> Dict[str, Any]:
    """Send a break and read what the plug brings back; the counters that changed."""
    with _open(port, timeout_s=0.5) as opened:
        before = _counters(opened)
        opened.break_condition = True
        got = opened.read(1)
        opened.break_condition = False
        return {"data": got, "counters": _since(opened, before)}


@call
def echo_inside(data: bytes, *, port: str) -> bytes:
    """Send with the UART's own loop switched on (TIOCM_LOOP), and read what comes back."""
    loop = struct.pack("I", _TIOCM_LOOP)
    with _open(port) as opened:
        fcntl.ioctl(opened.fileno(), termios.TIOCMBIS, loop)
        try:
            opened.write(data)
            return bytes(opened.read(len(data)))
        finally:
            fcntl.ioctl(opened.fileno(), termios.TIOCMBIC, loop)


@call
def modem_lines(states: List[Dict[str, bool]], *, port: str) -> List[Dict[str, bool]]:
    """Set {"rts", "dtr"} as given, and after each what {"cts", "dsr", "cd"} are."""
    got = []
    with _open(port) as opened:
        for state in states:
            opened.rts, opened.dtr = state["rts"], state["dtr"]
            got.append({"cts": opened.cts, "dsr": opened.dsr, "cd": opened.cd})
    return got


@listen
def send_when_clear(data: bytes, timeout_s: float = 2.0, *, port: str) -> Generator[None, None, Dict[str, Any]]:
    """Send with RTS/CTS flow control while CTS is inactive, let the host make it active, wait until all is sent.

    "held" is how many characters the kernel had kept before.
    """
    with _open(port, rtscts=True, timeout_s=timeout_s) as opened:
        opened.write(data)
        time.sleep(_SETTLE_S)  # that nothing happens takes time to see
        held = _waiting(opened)
        yield
        seconds = _drain(opened, timeout_s)
        return {"held": held, "seconds": seconds, "echo": opened.read(len(data))}


@listen
def send_when_resumed(data: bytes, timeout_s: float = 2.0, *, port: str) -> Generator[None, None, Dict[str, Any]]:
    """Stop the own output with an XOFF and a full stop through the plug, send, let the host send XON, wait for the end.

    "held" is how many characters the kernel had kept before.
    """
    with _open(port, xonxoff=True, timeout_s=timeout_s) as opened:
        opened.write(b"\x13.")
        opened.read(1)  # the full stop comes after the XOFF: by now that has done its work
        opened.write(data)
        time.sleep(_SETTLE_S)
        held = _waiting(opened)
        yield
        seconds = _drain(opened, timeout_s)
        return {"held": held, "seconds": seconds, "echo": opened.read(len(data))}
