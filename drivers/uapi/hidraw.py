"""/dev/hidrawN: a HID device's raw reports.   Ref: Documentation/hid/hidraw.rst"""
from __future__ import annotations

import errno
import fcntl
import os
import struct

from drivers.uapi import sysfs
from drivers.uapi.ioctl import ioc

HIDIOCGRDESCSIZE = ioc(2, "H", 0x01, 4)
HIDIOCGRDESC = ioc(2, "H", 0x02, 4 + 4096)
_LARGEST = 4096


def nodes(vendor: int, product: int) -> list[str]:
    """Names, as hidraw0, of the raw nodes of the device."""
    base = "/sys/class/hidraw"
    # the HID device's name is BUS:VENDOR:PRODUCT.NUMBER
    return [
        name
        for name in sorted(os.listdir(base) if os.path.isdir(base) else [])
        if sysfs.link_name(f"{base}/{name}/device")[5:14].upper() == f"{vendor:04X}:{product:04X}"
    ]


def node(vendor: int, product: int) -> str:
    """The path of its raw node; ENODEV when it has none, as with usbmouse."""
    names = nodes(vendor, product)
    if not names:
        raise OSError(
            errno.ENODEV, f"no hidraw node of {vendor:04x}:{product:04x}: only usbhid creates one"
        )
    return "/dev/" + names[0]


def read_reports(opened: int) -> list[bytes]:
    """The reports that are queued."""
    reports = []
    while True:
        try:
            reports.append(os.read(opened, _LARGEST))
        except BlockingIOError:
            return reports


def report_descriptor(opened: int) -> bytes:
    """The report descriptor that the kernel uses."""
    size = struct.unpack("i", fcntl.ioctl(opened, HIDIOCGRDESCSIZE, bytes(4)))[0]
    buffer = bytearray(struct.pack("I", size) + bytes(4096))
    fcntl.ioctl(opened, HIDIOCGRDESC, buffer)
    return bytes(buffer[4 : 4 + size])


def input_report(opened: int, size: int, number: int = 0) -> bytes:
    """GET_REPORT(input) over the control pipe; the report begins with its number, if it has one."""
    buffer = bytearray([number]) + bytearray(size)
    length = fcntl.ioctl(opened, ioc(3, "H", 0x0A, len(buffer)), buffer)
    return bytes(buffer[0 if number else 1 : length])
