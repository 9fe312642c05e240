"""Devices that come and go while a program looks, or reads."""
from __future__ import annotations

import errno
import os
import select
import time
from collections.abc import Generator
from typing import Any, Dict, List, Optional, Sequence

from drivers.agent.call import call, listen
from drivers.uapi import usb
from drivers.uapi.kmsg import LOG
from drivers.uapi.modules import load_module
from drivers.uapi.uevent import Uevents


@call
def number(vendor: int, product: int) -> int:
    """The number that the bus gave the device, another one each time that it is plugged in; 0 when it is not there."""
    names = usb.matching(vendor, product)
    return int(usb.read("%s/%s/devnum" % (usb.DEVICES, names[0])) or 0) if names else 0


@call
def wait_plugged(vendor: int, product: int, driver: str = "", modules: Sequence[str] = (), other_than: int = 0,
                 timeout_s: float = 3.0) -> Dict[str, str]:
    """Wait until the device is there, its interfaces bound (to `driver`, if given); each interface's driver.

    `modules` are loaded first: nobody else loads one for a device that is plugged in later. With `other_than` it is
    there only when its number is another one. ETIMEDOUT when it is not there in time.
    """
    for module in modules:
        load_module(module)

    def ready() -> bool:
        names = usb.matching(vendor, product)
        if not names or (other_than and number(vendor, product) == other_than):
            return False
        device = "%s/%s" % (usb.DEVICES, names[0])
        # A driver's link is there before its probe is done; this file is read under the lock that probes are held in.
        usb.read(device + "/bConfigurationValue")
        drivers = usb.bound(device)
        return bool(drivers) and all(one and driver in ("", one) for one in drivers.values())

    if not usb.wait_for(ready, timeout_s):
        raise OSError(errno.ETIMEDOUT, "%04x:%04x is not there and bound after %s s" % (vendor, product, timeout_s))
    return usb.bound(usb.folder(vendor, product))


@call
def port_quirks(vendor: int, product: int, quirks: int, port: str = "") -> List[Any]:
    """How the kernel enumerates what is plugged into the device's port; [port, quirks] that bring back what was.

    `quirks` are bits (USB_PORT_QUIRK_OLD_SCHEME, _FAST_ENUM), `port` is the port's folder when the device may be gone.
    Ref: Documentation/ABI/testing/sysfs-bus-usb; Linux 4.18
    """
    port = port or os.path.realpath(usb.folder(vendor, product) + "/port")
    was = int(usb.read(port + "/quirks") or "0", 16)
    usb.write(port + "/quirks", "%x" % quirks)
    return [port, was]


@listen
def hear_plugging(count: int, action: str = "add", timeout_s: float = 3.0,
                  quiet_s: float = 0.0) -> Generator[None, None, List[Dict[str, Any]]]:
    """The kernel's announcements of whole USB devices, until `count` of `action` came or the time is over.

    With `quiet_s` it goes on until nothing of the USB core was announced for so long. Each has action, name and at_s.
    """
    heard: List[Dict[str, Any]] = []
    with Uevents() as uevents:
        yield
        begun = time.monotonic()
        deadline = begun + timeout_s
        until = deadline
        while True:
            event = uevents.next(min(until, deadline))
            if event is None:
                return heard
            if event.get("SUBSYSTEM") == "usb" and event.get("DEVTYPE") == "usb_device":
                heard.append({"action": event["ACTION"], "name": os.path.basename(event["DEVPATH"]),
                              "at_s": time.monotonic() - begun})
            enough = sum(one["action"] == action for one in heard) >= count
            if enough and not quiet_s:
                return heard
            until = time.monotonic() + quiet_s if enough else deadline


GIVEN_UP = "unable to enumerate USB device"  # the hub driver's words after its last attempt


@listen
def hear_out(timeout_s: float = 8.0, quiet_s: float = 0.05) -> Generator[None, None, Dict[str, Any]]:
    """What the kernel makes of what is plugged in: it announces it, or says in its log that it gives it up.

    Its announcements until nothing of the USB core was announced for `quiet_s` ("actions"), whether it was "given_up",
    and the "seconds" that took. Neither within `timeout_s`: ETIMEDOUT.
    """
    actions: List[str] = []
    LOG.read()
    with Uevents() as uevents:
        yield
        begun, last = time.monotonic(), LOG.last
        while "add" not in actions:
            left = begun + timeout_s - time.monotonic()
            if left <= 0:
                raise OSError(errno.ETIMEDOUT, "neither announced nor given up within %s s" % timeout_s)
            ready = select.select([uevents.fileno(), LOG.fileno()], [], [], left)[0]
            if uevents.fileno() in ready:
                actions += _of_devices(uevents.next(0.0))
            if LOG.fileno() in ready:
                LOG.read()
                if any(GIVEN_UP in str(record["text"]) for record in LOG.since(last)[0]):
                    return {"actions": actions, "given_up": True, "seconds": time.monotonic() - begun}
        event = uevents.next(time.monotonic() + quiet_s)
        while event is not None:
            actions += _of_devices(event)
            event = uevents.next(time.monotonic() + quiet_s)
        return {"actions": actions, "given_up": False, "seconds": time.monotonic() - begun}


def _of_devices(event: Optional[Dict[str, str]]) -> List[str]:
    """The action of an announcement of a whole USB device; of others none."""
    whole = event and event.get("SUBSYSTEM") == "usb" and event.get("DEVTYPE") == "usb_device"
    return [event["ACTION"]] if event and whole else []
