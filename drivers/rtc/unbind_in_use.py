"""Unbind the driver of an RTC that is in use, from child processes: the kernel may oops, or never
return.
"""
from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable
from functools import partial
from typing import TypedDict

from drivers.agent.call import call
from drivers.uapi import rtc, sysfs
from drivers.uapi.i2c import client, rebind
from drivers.uapi.process import Child, Step, write

_QUEUED_S = 0.06  # until a second task waits for the lock that the first one holds


class IoctlsAfterUnbind(TypedDict):
    """The errno of the unbind, those of the ioctls that returned, how their process ended, the
    driver bound again.
    """

    unbind: int
    errnos: list[int]
    ended: str
    driver: str


class UnbindDuringRead(TypedDict):
    """The errno of read, unbind and second read, how each ended ("done", "stuck"), the driver bound
    again.
    """

    errnos: list[int]
    ends: list[str]
    driver: str


@call
def ioctls_after_unbind(driver: str, *, adapter: str, address: int) -> IoctlsAfterUnbind:
    """Open the RTC, unbind its driver, run RTC_RD_TIME and RTC_VL_READ on the open file, bind the
    driver again.
    """
    node, name = "/dev/" + rtc.name_of(adapter, address), os.path.basename(client(adapter, address))

    def work(stop: Callable[[float], bool], send: Callable[[object], None]) -> None:
        opened = os.open(node, os.O_RDONLY)
        send("open")
        while not stop(1.0):
            pass
        for request, size in ((rtc.RD_TIME, rtc.TIME.size), (rtc.VL_READ, 4)):
            send(_errno(partial(fcntl.ioctl, opened, request, bytes(size))))

    child = Child(work)
    _ = child.value(2.0)
    unbind = sysfs.write_errno(_unbind_file(driver), name)
    child.stop()
    errnos = [value for value in (child.value(2.0), child.value(2.0)) if value is not None]
    ended = child.wait(2.0)
    child.close()
    return {
        "unbind": unbind,
        "errnos": errnos,
        "ended": ended,
        "driver": rebind(adapter, address, driver),
    }


@call
def unbind_during_read(driver: str, *, adapter: str, address: int) -> UnbindDuringRead:
    """Unbind the driver during a read of since_epoch, start a second read behind it, bind the
    driver again.

    For an RTC that takes some tenths of a second to read, so that all three wait for the same lock.
    """
    attribute = f"/sys/class/rtc/{rtc.name_of(adapter, address)}/since_epoch"
    reading = Step("read", partial(_errno, partial(sysfs.read, attribute)))
    time.sleep(_QUEUED_S)
    unbinding = write(_unbind_file(driver), os.path.basename(client(adapter, address)))
    time.sleep(_QUEUED_S)
    behind = Step("read", partial(_errno, partial(sysfs.read, attribute)))
    results = [step.wait(1.0).result() for step in (reading, unbinding, behind)]
    behind.child.close()  # a reader that is killed drops its reference, and the unbind can return
    _ = unbinding.wait()
    return {
        "errnos": [result["errno"] for result in results],
        "ends": [result["end"] for result in results],
        "driver": rebind(adapter, address, driver),
    }


def _unbind_file(driver: str) -> str:
    return sysfs.driver_folder("i2c", driver) + "/unbind"


def _errno(action: Callable[[], object]) -> int:
    try:
        action()
    except OSError as error:
        return error.errno or errno.EIO
    return 0
