"""URBs from usbmon's packets: unpacked, paired, and checked.

Ref: Documentation/usb/usbmon.rst, drivers/usb/mon/mon_bin.c (struct mon_bin_hdr)
"""
from __future__ import annotations

import errno
import itertools
import struct
from collections.abc import Iterator
from typing import NamedTuple

from drivers.uapi.usbmon import FIELDS, HEADER, SNAP

TRANSFERS = {0: "isochronous", 1: "interrupt", 2: "control", 3: "bulk"}
UNLINKED = (-errno.ENOENT, -errno.ECONNRESET, -errno.ESHUTDOWN)  # as at close: not a bus error
HALF_UNIT_NS = 500  # time stamps are cut to whole microseconds


class Urb(NamedTuple):
    """One packet of usbmon: `kind` is S(ubmission), C(ompletion) or E(rror), `length` requested or transferred.

    `endpoint` has bit 7 set for IN, `status` is 0 or a negative errno (EINPROGRESS at submission); `setup` is that of a
    control transfer's submission, empty otherwise; `at_ns` is right within half a microsecond on usbmon's own clock.
    """

    id: int
    kind: str
    transfer: str
    endpoint: int
    at_ns: int
    status: int
    length: int
    data: bytes
    bus: int = 0
    device: int = 0
    setup: bytes = b""


def captured(packet: bytes, big_endian: bool = False) -> int:
    """How many bytes of payload the kernel captured; a packet has no more than SNAP of them."""
    return int(struct.unpack_from((">" if big_endian else "<") + "I", packet, 36)[0])


def packets(recorded: bytes, big_endian: bool = False) -> Iterator[bytes]:
    """Each packet of a recording, header and payload; ValueError where it ends in the middle of one."""
    at = 0
    while at < len(recorded):
        size = HEADER
        if at + HEADER <= len(recorded):
            size += min(captured(recorded[at:at + HEADER], big_endian), SNAP)
        if at + size > len(recorded):
            raise ValueError(f"usbmon's recording ends in the middle of a packet, at byte {len(recorded)}")
        yield recorded[at:at + size]
        at += size


def urbs(recorded: bytes, big_endian: bool = False, offset_ns: int = 0) -> list[Urb]:
    """A recording unpacked, its times less `offset_ns`: with usbmon's clock less CLOCK_MONOTONIC they are the latter's.

    ValueError for one that is truncated.
    """
    fields = struct.Struct((">" if big_endian else "<") + FIELDS)
    unpacked = []
    for packet in packets(recorded, big_endian):
        (number, kind, transfer, endpoint, device, bus, has_setup, _, seconds, micro, status, length, _, setup, _, _, _,
         _) = fields.unpack_from(packet)
        at_ns = seconds * 1000000000 + micro * 1000 + HALF_UNIT_NS - offset_ns
        given = setup if has_setup == b"\0" and TRANSFERS.get(transfer) == "control" else b""
        unpacked.append(Urb(number, chr(kind), TRANSFERS.get(transfer, "?"), endpoint, at_ns, status, length,
                         packet[HEADER:], bus, device, given))
    return unpacked


def pairs(recorded: list[Urb]) -> list[tuple[Urb | None, Urb | None]]:
    """(submission, completion) of each URB, by the time of its first; None for the half that was not seen."""
    halves: list[tuple[Urb | None, Urb | None]] = []
    under_way: dict[int, int] = {}  # URB → its place in `found`
    for urb in recorded:
        if urb.kind == "S":
            under_way[urb.id] = len(halves)
            halves.append((urb, None))
        elif urb.id in under_way:
            place = under_way.pop(urb.id)
            halves[place] = (halves[place][0], urb)
        else:
            halves.append((None, urb))
    return halves


def failed(urb: Urb) -> bool:
    """Whether a completion reports a failure on the bus."""
    return urb.kind != "S" and bool(urb.status) and urb.status not in UNLINKED


def status_name(urb: Urb) -> str:
    """The errno of a completion by its name, "" for none."""
    return errno.errorcode.get(-urb.status, str(urb.status)) if urb.status else ""


# Checks of a recording: a description of each violation, empty without any.

def unpaired(recorded: list[Urb]) -> list[str]:
    """Each submission has one completion before the URB is submitted again; at either end one may be in progress."""
    under_way = set()
    seen = set()
    wrong = []
    for urb in recorded:
        if urb.kind == "S":
            if urb.id in under_way:
                wrong.append(f"URB {urb.id:x} on {urb.endpoint:#x} is submitted twice")
            under_way.add(urb.id)
        elif urb.id in under_way:
            under_way.remove(urb.id)
        elif urb.id in seen:
            wrong.append(f"URB {urb.id:x} on {urb.endpoint:#x} completes twice")
        seen.add(urb.id)
    return wrong


def failures(recorded: list[Urb]) -> list[tuple[int, str]]:
    """(endpoint, errno's name) of each completion that failed; unlinked URBs, as at close, do not count."""
    return [(urb.endpoint, status_name(urb)) for urb in recorded if failed(urb)]


def completions(recorded: list[Urb], endpoint: int) -> list[Urb]:
    """Completions with data from an endpoint."""
    return [urb for urb in recorded if urb.kind == "C" and urb.endpoint == endpoint and not urb.status and urb.data]


def intervals_ms(recorded: list[Urb], endpoint: int) -> list[float]:
    """Times between completions with data, in ms."""
    times = [urb.at_ns for urb in completions(recorded, endpoint)]
    return [(after - before) / 1e6 for before, after in itertools.pairwise(times)]
