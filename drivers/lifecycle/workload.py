"""Open everything that a device offers to programs, or use it, from processes of their own."""
from __future__ import annotations

import errno
import fcntl
import itertools
import os
import socket
import stat
from collections.abc import Callable
from typing import Any, TypedDict

from drivers.uapi.devices import nodes_below
from drivers.uapi.if_link import link, set_link
from drivers.uapi.process import STUCK_S, Child

NODES, ATTRIBUTES = 8, 24  # of a device, at most
I2C_SLAVE_FORCE = 0x0706
GPIO_GET_CHIPINFO = 0x8044B401
RTC_RD_TIME = 0x80247009
RESERVED_ADDRESS = 0x03  # of I2C: no device answers, and none is disturbed
PAUSE_S = 0.002
TEST_FRAME = bytes.fromhex("0200000000fe0200000000fd88b5") + bytes(50)  # experimental EtherType


class ProgramResult(TypedDict):
    """How one program of the workload ended."""

    what: str  # the node, or "attributes"
    count: int  # operations
    errnos: dict[str, int]  # name → how often an operation failed with it
    end: str  # as of drivers.uapi.process.Child.wait


def open_node(node: str) -> int:
    """Open a node read-write, else read-only; non-blocking, never as the controlling terminal."""
    flags = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(node, os.O_RDWR | flags)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EROFS, errno.EINVAL, errno.EPERM):
            raise
        return os.open(node, os.O_RDONLY | flags)


def operation(node: str, fd: int) -> Callable[[], object]:
    """A harmless operation on an open node that reaches its driver."""
    name = os.path.basename(node)
    if name.startswith("i2c-"):
        fcntl.ioctl(fd, I2C_SLAVE_FORCE, RESERVED_ADDRESS)
        return lambda: os.read(fd, 1)
    if name.startswith("gpiochip"):
        return lambda: fcntl.ioctl(fd, GPIO_GET_CHIPINFO, bytes(68))
    if name.startswith("rtc"):
        return lambda: fcntl.ioctl(fd, RTC_RD_TIME, bytes(36))
    if name.startswith("tty"):
        return lambda: (os.write(fd, b"U"), os.read(fd, 64))
    if stat.S_ISBLK(os.fstat(fd).st_mode):
        return lambda: os.pread(fd, 4096, 0)
    return lambda: os.read(fd, 64)


def transmission(interface: str) -> Callable[[], object]:
    """Send a frame of an experimental EtherType to an unused address."""
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)  # type: ignore[attr-defined,unused-ignore]
    raw.bind((interface, 0))
    raw.setblocking(False)
    return lambda: raw.send(TEST_FRAME)


def attributes(path: str) -> list[str]:
    """Readable attributes of a device and of what is below it, deepest first: the classes' own."""
    files = []
    for folder, names, file_names in os.walk(path):
        names[:] = [name for name in names if name not in ("power", "of_node")]
        for name in file_names:
            file = os.path.join(folder, name)
            if name not in ("uevent", "modalias") and os.stat(file).st_mode & stat.S_IRUSR:
                files.append(file)
    return sorted(files, key=lambda file: -file.count("/"))[:ATTRIBUTES]


def hold_open(path: str) -> Child:
    """A program that holds everything open, interfaces up, until stopped.

    Its first value is {node: errno of its open}.
    """

    def work(stop: Callable[[float], bool], send: Callable[[Any], None]) -> None:
        fds: dict[str, int] = {}
        errnos = {}
        for node in nodes_below(path)[:NODES]:
            try:
                if node.startswith("net:"):
                    set_link(node[4:], up=True)
                else:
                    fds[node] = open_node(node)
                errnos[node] = 0
            except OSError as error:
                errnos[node] = error.errno or errno.EIO
        for file in attributes(path) if not fds else []:  # a class without nodes, as hwmon
            try:
                fds[file] = os.open(file, os.O_RDONLY)
                errnos[file] = 0
            except OSError:
                continue  # an attribute that cannot be read now
        send(errnos)
        while not stop(1.0):
            pass
        for fd in fds.values():
            os.close(fd)
        send({})

    return Child(work)


def start(path: str) -> list[Child]:
    """Programs that use everything at the same time until stopped, one for each node.

    Each first sends what it uses, then a ProgramResult without its end.
    """
    return [_user(node) for node in nodes_below(path)[:NODES]] + [_reader(attributes(path))]


def _user(node: str) -> Child:
    def work(stop: Callable[[float], bool], send: Callable[[Any], None]) -> None:
        try:
            operate = operation(node, open_node(node)) if node[0] == "/" else transmission(node[4:])
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, "?")
            send("")
            send({"what": node, "count": 0, "errnos": {name: 1}})
            return
        send(node)
        send(_repeat(node, operate, stop))

    if node.startswith("net:"):
        set_link(node[4:], up=True)
    return Child(work)


def _reader(files: list[str]) -> Child:
    next_file = itertools.cycle(files)

    def read_next() -> None:
        fd = os.open(next(next_file), os.O_RDONLY | os.O_NONBLOCK)
        try:
            os.read(fd, 16)  # a file may be a slow memory: an EEPROM
        finally:
            os.close(fd)

    def work(stop: Callable[[float], bool], send: Callable[[Any], None]) -> None:
        send(f"{len(files)} attributes" if files else "")
        idle = {"what": "attributes", "count": 0, "errnos": {}}
        send(_repeat("attributes", read_next, stop) if files else idle)

    return Child(work)


def _repeat(
    what: str, operate: Callable[[], object], stop: Callable[[float], bool]
) -> dict[str, object]:
    count = 0
    errnos: dict[str, int] = {}
    while not stop(PAUSE_S):
        count += 1
        try:
            operate()
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, str(error.errno))
            errnos[name] = errnos.get(name, 0) + 1
    return {"what": what, "count": count, "errnos": errnos}


def stop(programs: list[Child], timeout_s: float = STUCK_S) -> list[ProgramResult]:
    """Stop the programs and return how each ended."""
    for program in programs:
        program.stop()
    results: list[ProgramResult] = []
    for program in programs:
        last = program.value(timeout_s) or {}
        end = program.wait(1.0 if last else timeout_s)
        results.append({
            "what": last.get("what", ""), "count": last.get("count", 0),
            "errnos": last.get("errnos", {}), "end": end,
        })  # fmt: skip
        program.close()
    return results


def link_states(path: str) -> dict[str, bool]:
    """A device's interfaces and whether each is up, to restore them."""
    names = [node[4:] for node in nodes_below(path) if node.startswith("net:")]
    return {name: link(name)["up"] for name in names}
