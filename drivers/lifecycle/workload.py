"""Open everything that a device offers to programs, or use it, from processes of their own."""
from __future__ import annotations

import errno
import fcntl
import itertools
import os
import socket
import stat
from typing import Any, Callable, Dict, List

from drivers.uapi.devices import nodes_below
from drivers.uapi.if_link import link, set_link
from drivers.uapi.process import STUCK_S, Child

NODES, ATTRIBUTES = 8, 24  # at most so many of a device
I2C_SLAVE_FORCE = 0x0706
GPIO_GET_CHIPINFO = 0x8044B401
RTC_RD_TIME = 0x80247009
NOWHERE = 0x03  # a reserved I2C address: nobody answers, and nobody is disturbed
PAUSE_S = 0.002

Operation = Callable[[], object]


def opened(node: str) -> int:
    """Open a node, for both directions if it can be; never as the controlling terminal, never waiting."""
    flags = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(node, os.O_RDWR | flags)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EROFS, errno.EINVAL, errno.EPERM):
            raise
        return os.open(node, os.O_RDONLY | flags)


def operation(node: str, fd: int) -> Operation:
    """What to do with an open node again and again: something harmless that reaches the driver."""
    name = os.path.basename(node)
    if name.startswith("i2c-"):
        fcntl.ioctl(fd, I2C_SLAVE_FORCE, NOWHERE)
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


def sending(interface: str) -> Operation:
    """Send frames of an experimental EtherType to nobody."""
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)  # type: ignore[attr-defined,unused-ignore]
    raw.bind((interface, 0))
    raw.setblocking(False)
    frame = bytes.fromhex("0200000000fe0200000000fd88b5") + bytes(50)
    return lambda: raw.send(frame)


def attributes(path: str) -> List[str]:
    """Readable sysfs files of a device and of what is below it, the deepest first: those are the classes' own."""
    found = []
    for folder, names, files in os.walk(path):
        names[:] = [name for name in names if name not in ("power", "of_node")]
        for name in files:
            full = os.path.join(folder, name)
            if name not in ("uevent", "modalias") and os.stat(full).st_mode & stat.S_IRUSR:
                found.append(full)
    return sorted(found, key=lambda full: -full.count("/"))[:ATTRIBUTES]


def held(path: str) -> Child:
    """Hold everything open, interfaces up, until stopped; first tells what: {node: errno}."""

    def work(stop: Callable[[float], bool], tell: Callable[[Any], None]) -> None:
        fds: Dict[str, int] = {}
        told = {}
        for node in nodes_below(path)[:NODES]:
            try:
                if node.startswith("net:"):
                    set_link(node[4:], up=True)
                else:
                    fds[node] = opened(node)
                told[node] = 0
            except OSError as error:
                told[node] = error.errno or errno.EIO
        for name in attributes(path) if not fds else []:  # a class without nodes, as hwmon: its files
            try:
                fds[name] = os.open(name, os.O_RDONLY)
                told[name] = 0
            except OSError:
                continue  # an attribute that is not to be read now
        tell(told)
        while not stop(1.0):
            pass
        for fd in fds.values():
            os.close(fd)
        tell({})

    return Child(work)


def used(path: str) -> List[Child]:
    """Use everything at the same time, each in a process of its own, until stopped.

    Each first tells what it uses, then {"what", "count", "errnos": {name: count}}.
    """
    return [_user(node) for node in nodes_below(path)[:NODES]] + [_reader(attributes(path))]


def _user(node: str) -> Child:
    def work(stop: Callable[[float], bool], tell: Callable[[Any], None]) -> None:
        try:
            act = sending(node[4:]) if node.startswith("net:") else operation(node, opened(node))
        except OSError as error:
            tell("")
            tell({"what": node, "count": 0, "errnos": {errno.errorcode.get(error.errno or 0, "?"): 1}})
            return
        tell(node)
        tell(_again(node, act, stop))

    if node.startswith("net:"):
        set_link(node[4:], up=True)
    return Child(work)


def _reader(files: List[str]) -> Child:
    following = itertools.cycle(files)

    def read_next() -> None:
        fd = os.open(next(following), os.O_RDONLY | os.O_NONBLOCK)
        try:
            os.read(fd, 16)  # a file may be a slow memory: an EEPROM
        finally:
            os.close(fd)

    def work(stop: Callable[[float], bool], tell: Callable[[Any], None]) -> None:
        tell("%d attributes" % len(files) if files else "")
        tell(_again("attributes", read_next, stop) if files else {"what": "attributes", "count": 0, "errnos": {}})

    return Child(work)


def _again(what: str, act: Operation, stop: Callable[[float], bool]) -> Dict[str, Any]:
    count, errnos = 0, {}  # type: ignore[var-annotated]
    while not stop(PAUSE_S):
        count += 1
        try:
            act()
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, str(error.errno))
            errnos[name] = errnos.get(name, 0) + 1
    return {"what": what, "count": count, "errnos": errnos}


def finished(children: List[Child], timeout_s: float = STUCK_S) -> List[Dict[str, Any]]:
    """Stop them and return what each told last, and how it ended."""
    for child in children:
        child.stop()
    told = []
    for child in children:
        last = child.value(timeout_s) or {}
        told.append({"what": "", "count": 0, "errnos": {}, **last, "end": child.wait(timeout_s if not last else 1.0)})
        child.close()
    return told


def links(path: str) -> Dict[str, bool]:
    """Interfaces of a device and whether each is up, to have them so again."""
    names = [node[4:] for node in nodes_below(path) if node.startswith("net:")]
    return {name: link(name)["up"] for name in names}


__all__ = ["attributes", "finished", "held", "links", "used"]
