"""/dev/hidrawN: a HID device's reports as they come.   Ref: Documentation/hid/hidraw.rst"""
from __future__ import annotations

import errno
import fcntl
import os
import struct
from typing import List

from drivers.uapi.ioctl import ioc

HIDIOCGRDESCSIZE = ioc(2, "H", 0x01, 4)
HIDIOCGRDESC = ioc(2, "H", 0x02, 4 + 4096)
_LARGEST = 4096


def nodes(vendor: int, product: int) -> List[str]:
    """Names, as hidraw0, of the raw nodes of the device."""
    base = "/sys/class/hidraw"
    found = []
    for name in sorted(os.listdir(base)) if os.path.isdir(base) else []:
        # the HID device's name is BUS:VENDOR:PRODUCT.NUMBER
        hid = os.path.basename(os.path.realpath("%s/%s/device" % (base, name)))
        if hid[5:14].upper() == "%04X:%04X" % (vendor, product):
            found.append(name)
    return found


def node(vendor: int, product: int) -> str:
    """The path of its raw node; ENODEV when it has none, as with usbmouse."""
    names = nodes(vendor, product)
    if not names:
        raise OSError(errno.ENODEV, "no hidraw node of %04x:%04x: only usbhid makes one" % (vendor, product))
    return "/dev/" + names[0]


def read_reports(opened: int) -> List[bytes]:
    """The reports that wait."""
    found = []
    while True:
        try:
            found.append(os.read(opened, _LARGEST))
        except BlockingIOError:
            return found


def report_descriptor(opened: int) -> bytes:
    """The report descriptor that the kernel works with."""
    size = struct.unpack("i", fcntl.ioctl(opened, HIDIOCGRDESCSIZE, bytes(4)))[0]
    buffer = bytearray(struct.pack("I", size) + bytes(4096))
    fcntl.ioctl(opened, HIDIOCGRDESC, buffer)
    return bytes(buffer[4:4 + size])


def input_report(opened: int, size: int, number: int = 0) -> bytes:
    """The current input report, asked over the control pipe; it begins with its number, if it has one."""
    buffer = bytearray([number]) + bytearray(size)
    got = fcntl.ioctl(opened, ioc(3, "H", 0x0A, len(buffer)), buffer)
    return bytes(buffer[0 if number else 1:got])
