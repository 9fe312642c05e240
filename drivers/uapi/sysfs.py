"""Read and write sysfs attributes, follow their links, bind and unbind
drivers: all of it once, here.

An attribute that cannot be read either raises OSError (the default) or reads as "" for the errnos
that the caller names: `read(path)` raises, `read(path, ABSENT)` is for what may not be there,
`read(path, UNREADABLE)` for what may not be readable either. A write always raises; `write_errno`
returns its errno instead.

Ref: Documentation/filesystems/sysfs.rst, Documentation/driver-api/driver-model/binding.rst
"""
from __future__ import annotations

import errno
import os
import time
from collections.abc import Sequence

BUSES = "/sys/bus"
ABSENT = (errno.ENOENT, errno.ENODEV, errno.ENOTDIR, errno.ENXIO)
UNREADABLE = (*ABSENT, errno.EINVAL, errno.EIO, errno.EACCES, errno.EPERM)


def read(path: str, empty_on: Sequence[int] = ()) -> str:
    """The attribute's text without white space and NULs at its ends; ""
    for an errno in `empty_on`.
    """
    return read_bytes(path, empty_on).decode("utf-8", "replace").strip(" \t\n\0")


def read_bytes(path: str, empty_on: Sequence[int] = ()) -> bytes:
    """A binary attribute, whole; b"" for an errno in `empty_on`."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = b""
            while part := os.read(fd, 65536):  # not a file object's read(), which hides EAGAIN
                data += part
            return data
        finally:
            os.close(fd)
    except OSError as error:
        if error.errno in empty_on:
            return b""
        raise


def write(path: str, value: str | int) -> None:
    """Write the attribute in one write(2), so that the driver's refusal is
    the errno of the OSError.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, str(value).encode())
    finally:
        os.close(fd)


def write_errno(path: str, value: str | int) -> int:
    """Write the attribute and return the errno, 0 for none."""
    try:
        write(path, value)
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def swap(path: str, value: str | int) -> str:
    """Write the attribute and return what restores it; of a choice as `one
    [two] three` that is `two`.
    """
    before = read(path)
    write(path, value)
    return before[before.index("[") + 1 : before.index("]")] if "[" in before else before


def link_name(link: str) -> str:
    """The last part of where a symbolic link leads; "" when it is not there."""
    try:
        return os.path.basename(os.readlink(link))
    except OSError:
        return ""


def link_target(link: str) -> str:
    """Where the link of a real folder leads, as an absolute path; "" when it is not there.

    Cheaper than os.path.realpath, which calls lstat for every part; that is for a link
    reached through another link.
    """
    try:
        return os.path.normpath(os.path.join(os.path.dirname(link), os.readlink(link)))
    except OSError:
        return ""


def driver_of(device: str) -> str:
    """The name of the driver that a device's folder (or a link to it) is bound to; "" for none."""
    return link_name(f"{device}/driver")


def driver_folder(bus: str, driver: str) -> str:
    """Where a driver's bind, unbind and new_id are."""
    return f"{BUSES}/{bus}/drivers/{driver}"


def bind(bus: str, driver: str, device: str) -> None:
    """Bind the device to the driver. The probe's refusal is the errno; ENODEV also
    when it is bound to another.
    """
    write(f"{driver_folder(bus, driver)}/bind", device)


def unbind(bus: str, driver: str, device: str) -> None:
    """Unbind the device from the driver; ENODEV when it is not bound to it."""
    write(f"{driver_folder(bus, driver)}/unbind", device)


def unbind_any(bus: str, device: str) -> str:
    """Unbind the device from whatever driver it has and return that driver's
    name; "" when it had none.
    """
    driver = driver_of(f"{BUSES}/{bus}/devices/{device}")
    if driver:
        unbind(bus, driver, device)
    return driver


def rebind(bus: str, driver: str, device: str) -> float:
    """Unbind the device from the driver, bind it again and return the seconds that both
    took; ENODEV when not bound.
    """
    begun = time.monotonic()
    unbind(bus, driver, device)
    bind(bus, driver, device)
    return time.monotonic() - begun
