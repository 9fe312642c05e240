"""Take the driver away from a clock that programs use, in processes of their own."""
from __future__ import annotations

import errno
import fcntl
import os
import time
from functools import partial
from typing import Any, Callable, Dict

from drivers.agent.call import call
from drivers.uapi import rtc
from drivers.uapi.i2c import client, rebind
from drivers.uapi.process import Child, Step, write
from drivers.uapi.sysfs import write_errno

_IN_LINE_S = 0.06  # until one waits for the one before it


@call
def asked_when_gone(driver: str, *, adapter: str, address: int) -> Dict[str, Any]:
    """Open the clock, take its driver away, ask for the time and for the voltage, bind the driver again.

    The errno of each question that had an answer, and how the process that asked ended: "done", "stuck" …
    """
    node, name = "/dev/" + rtc.name_of(adapter, address), os.path.basename(client(adapter, address))

    def work(stop: Callable[[float], bool], tell: Callable[[Any], None]) -> None:
        opened = os.open(node, os.O_RDONLY)
        tell("open")
        while not stop(1.0):
            pass
        for request, size in ((rtc.RD_TIME, rtc.TIME.size), (rtc.VL_READ, 4)):
            tell(_errno(partial(fcntl.ioctl, opened, request, bytes(size))))

    child = Child(work)
    _ = child.value(2.0)
    refused = write_errno("/sys/bus/i2c/drivers/%s/unbind" % driver, name)
    child.stop()
    errnos = [value for value in (child.value(2.0), child.value(2.0)) if value is not None]
    ended = child.wait(2.0)
    child.close()
    return {"unbind": refused, "errnos": errnos, "ended": ended, "driver": rebind(adapter, address, driver)}


@call
def gone_while_read(driver: str, *, adapter: str, address: int) -> Dict[str, Any]:
    """Read the time in sysfs, meanwhile take the driver away, and behind that read once more; bind the driver again.

    The errno of each of the three, and how it ended within a second: "done", "stuck". It is for a clock that takes some
    tenths of a second to read: all three want it at once.
    """
    attribute = "/sys/class/rtc/%s/since_epoch" % rtc.name_of(adapter, address)
    reading = Step("read", partial(_errno, partial(_read, attribute)))
    time.sleep(_IN_LINE_S)
    unbinding = write("/sys/bus/i2c/drivers/%s/unbind" % driver, os.path.basename(client(adapter, address)))
    time.sleep(_IN_LINE_S)
    behind = Step("read", partial(_errno, partial(_read, attribute)))
    told = [step.wait(1.0).result() for step in (reading, unbinding, behind)]
    behind.child.close()  # a program that is killed lets the driver go
    _ = unbinding.wait()
    return {"errnos": [one["errno"] for one in told], "ends": [one["end"] for one in told],
            "driver": rebind(adapter, address, driver)}


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as opened:
        return opened.read(64) or b""


def _errno(action: Callable[[], Any]) -> int:
    try:
        action()
    except OSError as error:
        return error.errno or errno.EIO
    return 0
