"""Calls on a mouse, as a program and as a bus analyser see it."""
from __future__ import annotations

import contextlib
import errno
import os
import select
import time
from collections.abc import Generator
from typing import Any, Dict, Iterator, List, Optional

from drivers.agent.call import call, listen
from drivers.uapi import evdev, hidraw, usb
from drivers.uapi.modules import load_module, unload_module
from drivers.usb.power import resume, suspend

SILENCE_S = 1.0


@contextlib.contextmanager
def closing(opened: Optional[int]) -> Iterator[Optional[int]]:
    """Close a descriptor at the end."""
    try:
        yield opened
    finally:
        if opened is not None:
            os.close(opened)


@contextlib.contextmanager
def prompt() -> Iterator[None]:
    """Run before other programs, on the CPU that takes the interrupts: the kernel keeps 64 events, 21 ms of motion.

    A reader that is late loses events through no fault of the driver.
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
def identity(vendor: int, product: int) -> Dict[str, Any]:
    """Its driver, its nodes, and what it can report: event, hidraw, driver, name, keys, axes."""
    device = usb.folder(vendor, product)
    path = evdev.node(vendor, product)
    with closing(evdev.open_node(path)) as opened:
        assert opened is not None
        can = evdev.capabilities(opened)
    raw = hidraw.nodes(vendor, product)
    return {"event": path, "hidraw": "/dev/" + raw[0] if raw else "",
            "driver": ",".join(sorted(set(usb.bound(device).values()))), **can}


@call
def use_driver(vendor: int, product: int, driver: str, timeout_s: float = 2.0) -> str:
    """Have the mouse driven by usbhid or usbmouse; the driver that has it, its event node being there.

    usbmouse is loaded for it and unloaded for usbhid: which one of two that fit takes a mouse is chance.
    """
    load_module(driver)
    name = usb.interfaces(usb.folder(vendor, product))[0]
    usb.bind(name, driver)
    if driver != "usbmouse":
        unload_module("usbmouse", timeout_s)
    if not usb.wait_for(lambda: evdev.nodes(vendor, product), timeout_s):
        raise OSError(errno.ETIMEDOUT, "%s is bound to %s, but no event node came in %s s" % (name, driver, timeout_s))
    return usb.driver_of(name)


@call
def report_descriptor(vendor: int, product: int) -> bytes:
    """The report descriptor that the kernel works with."""
    with closing(os.open(hidraw.node(vendor, product), os.O_RDONLY | os.O_CLOEXEC)) as opened:
        assert opened is not None
        return hidraw.report_descriptor(opened)


@call
def input_report(vendor: int, product: int, size: int = 8) -> bytes:
    """GET_REPORT(input) over the control pipe."""
    with closing(os.open(hidraw.node(vendor, product), os.O_RDWR | os.O_CLOEXEC)) as opened:
        assert opened is not None
        return hidraw.input_report(opened, size)


@listen
def watch(vendor: int, product: int, reports: int, raw: bool = False, quiet_s: float = 0.08,
          timeout_s: float = 3.0) -> Generator[None, None, Dict[str, Any]]:
    """Watch the mouse until `reports` frames of events came and nothing for `quiet_s` after, or `timeout_s` is over.

    When some came, and then nothing for a second, it ends as well: no more will.

    Returns events (packed: drivers.uapi.input_event_codes unpacks), frames (how many), with `raw` the reports of
    hidraw, and gone: whether the mouse went away.
    """
    with contextlib.ExitStack() as stack:
        raw_node = stack.enter_context(closing(
            os.open(hidraw.node(vendor, product), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC) if raw else None))
        event_node = stack.enter_context(closing(evdev.open_node(evdev.node(vendor, product))))
        assert event_node is not None
        stack.enter_context(prompt())
        yield
        seen = _Seen(event_node, raw_node)
        seen.run(reports, quiet_s, timeout_s)
    found: Dict[str, Any] = {"events": bytes(seen.events), "frames": seen.frames, "gone": seen.gone}
    if raw:
        found["raw"] = seen.reports
    return found


@listen
def sleep(vendor: int, product: int, timeout_s: float = 3.0) -> Generator[None, None, Dict[str, Any]]:
    """Let the mouse sleep while a program has it open; ready when it sleeps. What happens then wakes it, or we do.

    Returns slept, the seconds until it did, whether it woke by itself within a tenth of `timeout_s`, and its events.
    """
    device = usb.folder(vendor, product)
    with closing(evdev.open_node(evdev.node(vendor, product))) as opened:
        assert opened is not None
        found: Dict[str, Any] = {"slept": True, "seconds": 0.0, "woke": False, "events": b""}
        try:
            try:
                found["seconds"] = suspend(vendor, product, timeout_s=timeout_s)
            except OSError as error:
                if error.errno != errno.ETIMEDOUT:
                    raise
                found["slept"] = False
            yield
            found["woke"] = usb.wait_for(lambda: usb.read(device + "/power/runtime_status") == "active",
                                           timeout_s / 10)
        finally:
            resume(vendor, product)
        found["events"] = evdev.read_packed(opened)[0]
    return found


class _Seen:
    """What came from the open nodes so far."""

    def __init__(self, event_node: int, raw_node: Optional[int]) -> None:
        self.event_node, self.raw_node = event_node, raw_node
        self.events = bytearray()
        self.frames = 0
        self.reports: List[bytes] = []
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
        """Read what there is; whether an event or a report was among it."""
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
