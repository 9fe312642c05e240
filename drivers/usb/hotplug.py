"""Devices that are plugged in and pulled out while a program waits, or reads."""
from __future__ import annotations

import errno
import os
import select
import time
from collections.abc import Generator, Sequence
from typing import TypedDict

from drivers.agent.call import call, listen
from drivers.uapi import sysfs, usb
from drivers.uapi.kmsg import LOG
from drivers.uapi.modules import load_module
from drivers.uapi.uevent import Uevents

GIVEN_UP = "unable to enumerate USB device"  # the hub driver's words after its last attempt


class Announced(TypedDict):
    """A uevent of a whole USB device: its action, the device's name, seconds since the call was
    ready.
    """

    action: str
    name: str
    at_s: float


class Enumeration(TypedDict):
    """The actions of the uevents, whether the kernel gave the device up, and the seconds until
    then.
    """

    actions: list[str]
    given_up: bool
    seconds: float


@call
def devnum(vendor: int, product: int) -> int:
    """The number that the bus gave the device, another one at each plug; 0 when it is not there."""
    names = usb.matching(vendor, product)
    return int(sysfs.read(f"{usb.DEVICES}/{names[0]}/devnum", sysfs.ABSENT) or 0) if names else 0


@call
def wait_plugged(
    vendor: int,
    product: int,
    driver: str = "",
    modules: Sequence[str] = (),
    other_than: int = 0,
    timeout_s: float = 3.0,
) -> dict[str, str]:
    """Wait until the device is there, its interfaces bound (to `driver`, if given).

    Interface → driver.

    `modules` are loaded first: the target has no udev to load one at hotplug.  With `other_than` it
    is there only when its devnum is a different one.  ETIMEDOUT when it is not there in time.
    """
    for module in modules:
        load_module(module)

    def ready() -> bool:
        names = usb.matching(vendor, product)
        if not names or (other_than and devnum(vendor, product) == other_than):
            return False
        device = f"{usb.DEVICES}/{names[0]}"
        # The driver link is there before the probe has finished; this file is read under the lock
        # that is held in it.
        sysfs.read(f"{device}/bConfigurationValue", sysfs.ABSENT)
        drivers = usb.bound(device)
        return bool(drivers) and all(name and driver in ("", name) for name in drivers.values())

    if not usb.wait_for(ready, timeout_s):
        raise OSError(
            errno.ETIMEDOUT,
            f"{vendor:04x}:{product:04x} is not there and bound after {timeout_s} s",
        )
    return usb.bound(usb.folder(vendor, product))


@call
def port_quirks(vendor: int, product: int, quirks: int, port: str = "") -> tuple[str, int]:
    """Set how the kernel enumerates what is plugged into the device's port.

    (port, quirks) to restore it with.

    `quirks` are bits (USB_PORT_QUIRK_OLD_SCHEME, _FAST_ENUM), `port` is the port's folder when the
    device may be gone. Ref: Documentation/ABI/testing/sysfs-bus-usb; Linux 4.18
    """
    port = port or os.path.realpath(usb.folder(vendor, product) + "/port")
    return port, int(sysfs.swap(port + "/quirks", f"{quirks:x}") or "0", 16)


@listen
def hotplug_events(
    count: int, action: str = "add", timeout_s: float = 3.0, quiet_s: float = 0.0
) -> Generator[None, None, list[Announced]]:
    """The uevents of whole USB devices, until `count` of `action` have come, or the timeout.

    With `quiet_s` until, besides, no uevent of the USB core has come for that long.
    """
    events: list[Announced] = []
    with Uevents() as uevents:
        yield
        begun = time.monotonic()
        deadline = begun + timeout_s
        until = deadline
        while True:
            event = uevents.next(min(until, deadline))
            if event is None:
                return events
            if _is_usb_device(event):
                events.append(
                    {
                        "action": event["ACTION"],
                        "name": os.path.basename(event["DEVPATH"]),
                        "at_s": time.monotonic() - begun,
                    }
                )
            enough = sum(seen["action"] == action for seen in events) >= count
            if enough and not quiet_s:
                return events
            until = time.monotonic() + quiet_s if enough else deadline


@listen
def enumeration(
    timeout_s: float = 8.0, quiet_s: float = 0.05
) -> Generator[None, None, Enumeration]:
    """Whether the kernel enumerates what is plugged in: it announces a device, or logs that it
    gives it up.

    After the announcement it waits until no uevent has come for `quiet_s`.  ETIMEDOUT: neither
    within `timeout_s`.
    """
    actions: list[str] = []
    LOG.read()
    with Uevents() as uevents:
        yield
        begun, last = time.monotonic(), LOG.last
        while "add" not in actions:
            left = begun + timeout_s - time.monotonic()
            if left <= 0:
                raise OSError(
                    errno.ETIMEDOUT, f"neither announced nor given up within {timeout_s} s"
                )
            ready = select.select([uevents.fileno(), LOG.fileno()], [], [], left)[0]
            if uevents.fileno() in ready:
                actions += _action(uevents.next(0.0))
            if LOG.fileno() in ready:
                LOG.read()
                if any(GIVEN_UP in str(record["text"]) for record in LOG.since(last)[0]):
                    return {
                        "actions": actions,
                        "given_up": True,
                        "seconds": time.monotonic() - begun,
                    }
        event = uevents.next(time.monotonic() + quiet_s)
        while event is not None:
            actions += _action(event)
            event = uevents.next(time.monotonic() + quiet_s)
        return {"actions": actions, "given_up": False, "seconds": time.monotonic() - begun}


def _is_usb_device(event: dict[str, str]) -> bool:
    return event.get("SUBSYSTEM") == "usb" and event.get("DEVTYPE") == "usb_device"


def _action(event: dict[str, str] | None) -> list[str]:
    """The action of a whole USB device's uevent; nothing of any other."""
    return [event["ACTION"]] if event and _is_usb_device(event) else []
