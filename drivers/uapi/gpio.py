"""Find a GPIO controller by its driver, label or name, and a line by its name.

Ref: Documentation/userspace-api/gpio/chardev.rst, include/uapi/linux/gpio.h
"""
from __future__ import annotations

import errno
import fcntl
import os
import struct
from typing import NamedTuple

from drivers.uapi import sysfs
from drivers.uapi.ioctl import ioc

_DEVICES = "/sys/bus/gpio/devices"
_CHIP_INFO = struct.Struct("=32s32sI")  # struct gpiochip_info: name, label, lines
# struct gpio_v2_line_info: name, consumer, offset, num_attrs, …
_LINE_INFO = struct.Struct("=32s32sII184x")
GET_CHIPINFO = ioc(2, 0xB4, 0x01, _CHIP_INFO.size)
GET_LINEINFO = ioc(3, 0xB4, 0x05, _LINE_INFO.size)


class Controller(NamedTuple):
    """A controller: its name (gpiochip0), its parent device, and that device's driver ("" for
    none).
    """

    name: str
    device: str
    driver: str


def controllers() -> list[Controller]:
    """Every controller, by name."""
    listed = []
    for name in sorted(os.listdir(_DEVICES)) if os.path.isdir(_DEVICES) else []:
        parent = os.path.dirname(os.path.realpath(f"{_DEVICES}/{name}"))
        listed.append(Controller(name, os.path.basename(parent), sysfs.driver_of(parent)))
    return listed


def find(chip: str) -> Controller:
    """The controller with this driver, parent device or name.  ENODEV when there is none."""
    known = controllers()
    for controller in known:
        if chip in controller:
            return controller
    listed = ", ".join(f"{name} ({driver})" for name, _, driver in known) or "none"
    raise OSError(errno.ENODEV, f"no GPIO controller {chip!r}; there are: {listed}")


def path_of(chip: str) -> str:
    """The device node of the controller with this driver, parent device or name.

    ENODEV when there is none.
    """
    return f"/dev/{find(chip).name}"


def parent_of(chip: str) -> str:
    """The sysfs folder of the controller's device."""
    return os.path.dirname(os.path.realpath(f"{_DEVICES}/{find(chip).name}"))


def find_line(name: str) -> tuple[str, int]:
    """The device node and offset of a line, by its own name or by its controller's label and offset
    (gph0-3).

    Raises FileNotFoundError when no controller has it.
    """
    wanted_label, _, number = name.rpartition("-")
    labels = []
    for controller in controllers():
        path = f"/dev/{controller.name}"
        label, names = _lines_of(path)
        labels.append(label)
        if label == wanted_label and number.isdigit() and int(number) < len(names):
            return path, int(number)
        if name in names:
            return path, names.index(name)
    raise FileNotFoundError(
        errno.ENOENT,
        f"no GPIO controller has a line {name!r}; there are the controllers "
        f"{', '.join(labels) or 'none'}",
    )


def _lines_of(path: str) -> tuple[str, list[str]]:
    """A controller's label and the names of its lines, by offset ("" for a line without a name)."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _, label, count = _CHIP_INFO.unpack(fcntl.ioctl(fd, GET_CHIPINFO, bytes(_CHIP_INFO.size)))
        names = []
        for offset in range(count):
            request = _LINE_INFO.pack(b"", b"", offset, 0)
            names.append(_text(_LINE_INFO.unpack(fcntl.ioctl(fd, GET_LINEINFO, request))[0]))
        return _text(label), names
    finally:
        os.close(fd)


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode("utf-8", "replace")
