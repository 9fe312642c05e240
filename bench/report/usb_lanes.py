"""The lanes of a USB bus: what usbmon recorded during a call, each URB from its submission to its completion."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.capture import urb
from bench.capture.urb import Urb
from bench.capture.usbmon import UsbCapture
from bench.errors import RecordError
from bench.report.lanes import Clock, Filling, Item, host
from bench.store import CallRecord, CaptureRecord
from bench.trace.text import hex_text, seconds_text

# USB 2.0, table 9-4
REQUESTS = {0: "GET_STATUS", 1: "CLEAR_FEATURE", 3: "SET_FEATURE", 5: "SET_ADDRESS", 6: "GET_DESCRIPTOR",
            7: "SET_DESCRIPTOR", 8: "GET_CONFIGURATION", 9: "SET_CONFIGURATION", 10: "GET_INTERFACE",
            11: "SET_INTERFACE", 12: "SYNCH_FRAME"}
_TYPES = ("standard", "class", "vendor", "reserved")  # bits 6..5 of bmRequestType


def usb_lanes(lanes: Filling, call: CallRecord, usb: CaptureRecord, zero: int, folder: Path) -> Iterator[str]:
    """Add the lanes of the bus that usbmon recorded during `call`; yields what a reader must know of them."""
    if usb.missing or usb.file is None:
        yield f"the USB bus was not recorded during {call.call}: {usb.missing}"
        return
    if usb.lost:
        yield (f"usbmon dropped {usb.lost} packets of bus {usb.source['bus']} during {call.call}: "
               "what its lanes do not show may have happened all the same")
    try:
        packets = _read(folder / usb.file, usb)
    except (RecordError, ValueError) as error:
        yield f"what usbmon recorded during {call.call} cannot be read: {error}"
        return
    clock = Clock("usbmon's, gettimeofday, measured against CLOCK_MONOTONIC before and after the call",
                  usb.clock_error_ns)
    begun, ended = call.started_ns - zero, call.ended_ns - zero
    for submitted, completed in urb.pairs(packets):
        one = completed or submitted
        assert one is not None
        start = host(submitted.at_ns, call, zero) if submitted else min(begun, host(one.at_ns, call, zero))
        end = host(completed.at_ns, call, zero) if completed else max(ended, start)
        bad = completed is not None and urb.failed(completed)
        lanes.add(_lane(one), Item(start, end, _label(submitted, completed), _tip(submitted, completed), "usb", bad),
                  clock)


def _read(path: Path, usb: CaptureRecord) -> list[Urb]:
    data, big_endian = UsbCapture.load(path)
    return urb.urbs(data, big_endian, usb.clock_offset_ns)


def _lane(one: Urb) -> str:
    way = "" if one.transfer == "control" else f" {'in' if one.endpoint & 0x80 else 'out'} {one.endpoint & 15}"
    return f"usb {one.bus}.{one.device} {one.transfer}{way}"


def _label(submitted: Urb | None, completed: Urb | None) -> str:
    words = [_request(submitted.setup)] if submitted and submitted.setup else []
    if completed is None:
        words.append("under way")
    elif completed.status:
        words.append(urb.status_name(completed))
    else:
        words.append(hex_text(_data(submitted, completed).hex(), 12))
    return " ".join(filter(None, words)) or f"{completed.length if completed else 0} B"


def _data(submitted: Urb | None, completed: Urb | None) -> bytes:
    # What goes out is in the submission, what comes in is in the completion.
    return (completed.data if completed else b"") or (submitted.data if submitted else b"")


def _request(setup: bytes) -> str:
    kind, number = setup[0] >> 5 & 3, setup[1]
    return REQUESTS.get(number, f"request {number:#x}") if kind == 0 else f"{_TYPES[kind]} request {number:#x}"


def _tip(submitted: Urb | None, completed: Urb | None) -> str:
    one = completed or submitted
    assert one is not None
    lines = [f"URB {one.id:x} on endpoint {one.endpoint:#04x} of device {one.device}, {one.transfer}"]
    if submitted is None:
        lines.append("submitted before the call")
    elif submitted.setup:
        lines.append(f"{_request(submitted.setup)}: {hex_text(submitted.setup.hex())}")
    if completed is None:
        lines.append("under way when the call ended")
    else:
        took = f", {seconds_text((completed.at_ns - submitted.at_ns) / 1e9)} after its submission" if submitted else ""
        lines.append(f"completed: {urb.status_name(completed) or 'ok'}, {completed.length} B{took}")
    data = _data(submitted, completed)
    return "\n".join([*lines, *([hex_text(data.hex(), 48)] if data else [])])
