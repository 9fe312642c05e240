"""/dev/usbmonN: every URB of a bus, its submission and its completion.   Ref: Documentation/usb/usbmon.rst"""
from __future__ import annotations

import errno
import fcntl
import os
import struct
from typing import Any, Dict, List, NamedTuple, Tuple

from drivers.mouse.evdev import ioc

# Header as read() gives it: id, type, transfer, endpoint, device, bus, flags, time, status, lengths, setup
HEADER = struct.Struct("=QBBBBHccqiiII8s")
MON_IOCG_STATS = ioc(2, "\x92", 3, 8)
MON_IOCT_RING_SIZE = ioc(0, "\x92", 4, 0)
RING_SIZE = 1 << 20
_LARGEST = 4096
TRANSFERS = {0: "isochronous", 1: "interrupt", 2: "control", 3: "bulk"}


class Urb(NamedTuple):
    """One line of usbmon: `kind` is S(ubmission), C(ompletion) or E(rror), `length` asked for or transferred.

    `endpoint` has bit 7 set for IN, `status` is 0 or a negative errno (EINPROGRESS at submission).
    """

    id: int
    kind: str
    transfer: str
    endpoint: int
    at_ns: int
    status: int
    length: int
    data: bytes


def open_bus(bus: int) -> int:
    """Listen to a bus; ENOENT when the kernel has no usbmon."""
    opened = os.open("/dev/usbmon%d" % bus, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(opened, MON_IOCT_RING_SIZE, RING_SIZE)
    return opened


def dropped(opened: int) -> int:
    """Events lost since the last time this was asked, because the ring was full."""
    return int(struct.unpack("II", fcntl.ioctl(opened, MON_IOCG_STATS, bytes(8)))[1])


def read_raw(opened: int) -> List[bytes]:
    """The events that wait, each a header with its data."""
    found = []
    while True:
        try:
            found.append(os.read(opened, HEADER.size + _LARGEST))
        except BlockingIOError:
            return found


def of_device(events: List[bytes], device: int) -> List[bytes]:
    """Those events that are of one device."""
    return [event for event in events if event[11] == device]


def urbs(events: List[bytes]) -> List[Urb]:
    """Events unpacked."""
    found = []
    for event in events:
        (number, kind, transfer, endpoint, _, _, _, _, seconds, micro, status, length, captured,
         _) = HEADER.unpack_from(event)
        at_ns = seconds * 1000000000 + micro * 1000
        data = event[HEADER.size:HEADER.size + captured]
        found.append(Urb(number, chr(kind), TRANSFERS.get(transfer, "?"), endpoint, at_ns, status, length, data))
    return found


# Contracts of a recording: what is wrong, in words; nothing when all is well.

def unpaired(recorded: List[Urb]) -> List[str]:
    """Each submission has one completion before the URB is submitted again; at the ends one may be under way."""
    under_way: Dict[int, Urb] = {}
    seen = set()
    wrong = []
    for urb in recorded:
        if urb.kind == "S":
            if urb.id in under_way:
                wrong.append("URB %x on %#x is submitted twice" % (urb.id, urb.endpoint))
            under_way[urb.id] = urb
        elif urb.id in under_way:
            del under_way[urb.id]
        elif urb.id in seen:
            wrong.append("URB %x on %#x completes twice" % (urb.id, urb.endpoint))
        seen.add(urb.id)
    return wrong


def failures(recorded: List[Urb]) -> List[Tuple[int, str]]:
    """(endpoint, errno's name) of each completion that failed; unlinked ones, as at close, are none."""
    unlinked = (-errno.ENOENT, -errno.ECONNRESET, -errno.ESHUTDOWN)
    return [(urb.endpoint, errno.errorcode.get(-urb.status, str(urb.status))) for urb in recorded
            if urb.kind != "S" and urb.status and urb.status not in unlinked]


def completions(recorded: List[Urb], endpoint: int) -> List[Urb]:
    """Completions that brought data from an endpoint."""
    return [urb for urb in recorded if urb.kind == "C" and urb.endpoint == endpoint and not urb.status and urb.data]


def intervals_ms(recorded: List[Urb], endpoint: int) -> List[float]:
    """Times between completions with data, in ms."""
    times = [urb.at_ns for urb in completions(recorded, endpoint)]
    return [(after - before) / 1e6 for before, after in zip(times, times[1:])]


def as_recording(events: List[bytes], lost: int) -> Dict[str, Any]:
    """What a call returns of a recording."""
    return {"urbs": events, "lost": lost}
