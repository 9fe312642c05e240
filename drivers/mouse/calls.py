"""Calls on a mouse through evdev and hidraw.

Ref: Documentation/input/, Documentation/hid/hidraw.rst
"""
from __future__ import annotations

import contextlib
import errno
import os
import select
import time
from collections.abc import Generator, Iterator
from typing import TypedDict

from drivers.agent.call import call, listen
from drivers.uapi import evdev, hidraw, usb
from drivers.uapi.modules import load_module, unload_module

SILENCE_S = 1.0  # no more events come after this long without one


class Identity(TypedDict):
    """The device's nodes ("" for no hidraw node), its drivers, name, and the codes of its keys and
    axes.
    """

    event: str
    hidraw: str
    driver: str
    name: str
    keys: list[int]
    axes: list[int]


class Watched(TypedDict, total=False):
    """What `watch` saw; `raw` only when it was requested."""

    events: bytes  # packed: drivers.uapi.input_event_codes unpacks them
    frames: int
    gone: bool  # the mouse was unplugged
    raw: list[bytes]  # reports of hidraw


class Suspended(TypedDict):
    """Whether the mouse suspended, and after how many seconds.

    Whether it resumed by itself; its events.
    """

    suspended: bool
    seconds: float
    resumed: bool
    events: bytes


@contextlib.contextmanager
def closing(opened: int) -> Iterator[int]:
    """Close a descriptor at the end of a with statement."""
    try:
        yield opened
    finally:
        os.close(opened)


@contextlib.contextmanager
def real_time() -> Iterator[None]:
    """Run under SCHED_FIFO, on the CPU that takes the interrupts.

    evdev buffers 64 events, 21 ms of motion: a reader that is scheduled later loses events through
    no fault of the driver.
    """
    cpus, policy, priority = os.sched_getaffinity(0), os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        with contextlib.suppress(PermissionError):
            os.sched_setaffinity(0, {min(cpus)})
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        yield
    finally:
        os.sched_setscheduler(0, policy, priority)
        os.sched_setaffinity(0, cpus)


@call
def identity(vendor: int, product: int) -> Identity:
    """The device's driver, its nodes, and what it can report."""
    device = usb.folder(vendor, product)
    path = evdev.node(vendor, product)
    with closing(evdev.open_node(path)) as opened:
        can = evdev.capabilities(opened)
    raw = hidraw.nodes(vendor, product)
    return {
        "event": path,
        "hidraw": "/dev/" + raw[0] if raw else "",
        "driver": ",".join(sorted(set(usb.bound(device).values()))),
        **can,
    }


@call
def use_driver(vendor: int, product: int, driver: str, timeout_s: float = 2.0) -> str:
    """Bind the mouse to usbhid or usbmouse and wait for its event node.

    The driver that is bound then.

    usbmouse is loaded for it, and unloaded for usbhid: which of two matching drivers probes a mouse
    first is chance.
    """
    load_module(driver)
    name = usb.interfaces(usb.folder(vendor, product))[0]
    usb.bind(name, driver)
    if driver != "usbmouse":
        unload_module("usbmouse", timeout_s)
    if not usb.wait_for(lambda: evdev.nodes(vendor, product), timeout_s):
        raise OSError(
            errno.ETIMEDOUT,
            f"{name} is bound to {driver}, but has no event node after {timeout_s} s",
        )
    return usb.driver_of(name)


@call
def report_descriptor(vendor: int, product: int) -> bytes:
    """The report descriptor that the kernel uses."""
    with closing(os.open(hidraw.node(vendor, product), os.O_RDONLY | os.O_CLOEXEC)) as opened:
        return hidraw.report_descriptor(opened)


@call
def input_report(vendor: int, product: int, size: int = 8) -> bytes:
    """GET_REPORT(input) over the control pipe."""
    with closing(os.open(hidraw.node(vendor, product), os.O_RDWR | os.O_CLOEXEC)) as opened:
        return hidraw.input_report(opened, size)


@listen
def watch(
    vendor: int,
    product: int,
    reports: int,
    raw: bool = False,
    quiet_s: float = 0.08,
    timeout_s: float = 3.0,
) -> Generator[None, None, Watched]:
    """Read events until `reports` frames have come and then none for `quiet_s`, or until the
    timeout.

    It also ends SILENCE_S after the last event.  `raw`: read hidraw as well.
    """
    with contextlib.ExitStack() as stack:
        raw_node: int | None = None
        if raw:
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
            raw_node = stack.enter_context(closing(os.open(hidraw.node(vendor, product), flags)))
        event_node = stack.enter_context(closing(evdev.open_node(evdev.node(vendor, product))))
        stack.enter_context(real_time())
        yield
        reader = _Reader(event_node, raw_node)
        reader.run(reports, quiet_s, timeout_s)
    watched: Watched = {
        "events": bytes(reader.events),
        "frames": reader.frames,
        "gone": reader.gone,
    }
    if raw:
        watched["raw"] = reader.reports
    return watched


@listen
def suspend_while_open(
    vendor: int, product: int, timeout_s: float = 3.0
) -> Generator[None, None, Suspended]:
    """Runtime suspend the mouse with remote wakeup, while its event node is open.

    Ready when it is suspended.

    Then wait a tenth of `timeout_s` for a remote wakeup, and resume it in any case.
    """
    device = usb.folder(vendor, product)
    with closing(evdev.open_node(evdev.node(vendor, product))) as opened:
        result: Suspended = {"suspended": True, "seconds": 0.0, "resumed": False, "events": b""}
        try:
            try:
                result["seconds"] = usb.suspend(device, wakeup=True, timeout_s=timeout_s)
            except OSError as error:
                if error.errno != errno.ETIMEDOUT:
                    raise
                result["suspended"] = False
            yield
            result["resumed"] = usb.wait_for(
                lambda: usb.runtime_status(device) == "active", timeout_s / 10
            )
        finally:
            usb.resume(device)
        result["events"] = evdev.read_packed(opened)[0]
    return result


class _Reader:
    """Reads events and reports from the open nodes."""

    def __init__(self, event_node: int, raw_node: int | None) -> None:
        self.event_node, self.raw_node = event_node, raw_node
        self.events = bytearray()
        self.frames = 0
        self.reports: list[bytes] = []
        self.gone = False

    def run(self, reports: int, quiet_s: float, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        last = time.monotonic()
        waiting = [node for node in (self.event_node, self.raw_node) if node is not None]
        while not self.gone:
            now = time.monotonic()
            silence = quiet_s if self.frames >= reports else SILENCE_S
            end = min(deadline, last + silence) if self.frames else deadline
            if now >= end:
                break
            ready = select.select(waiting, [], [], end - now)[0]
            if self._fetch() or ready:
                last = time.monotonic()

    def _fetch(self) -> bool:
        """Read what is queued; whether there was an event or a report."""
        before = self.frames + len(self.reports)
        try:
            packed, frames = evdev.read_packed(self.event_node)
            self.events += packed
            self.frames += frames
            if self.raw_node is not None:
                self.reports += hidraw.read_reports(self.raw_node)
        except OSError as error:
            if error.errno not in (errno.ENODEV, errno.EIO):
                raise
            self.gone = True
        return self.frames + len(self.reports) > before
