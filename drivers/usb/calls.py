"""Calls on a USB device through libusb, and through its sysfs attributes.

Ref: https://pyusb.github.io/pyusb
"""
from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypedDict

from drivers.agent.call import call, listen
from drivers.usb.configuration import bind, identity, set_configuration, sysfs_descriptors
from drivers.usb.hotplug import devnum, enumeration, hotplug_events, port_quirks, wait_plugged
from drivers.usb.power import power, resume, suspend

__all__ = [
    "bind", "clear_halt", "configuration", "control_in", "control_out", "descriptor", "devnum",
    "enumeration", "hotplug_events", "identity", "interrupt_reads", "port_quirks", "power",
    "read_until_unplugged", "requests", "reset", "resume", "set_configuration", "set_interface",
    "strings", "suspend", "sysfs_descriptors", "wait_plugged",
]  # fmt: skip

LIBRARY = "libusb-1.0.so.0"
EXTRA_MS = 20  # how long to wait for a transfer that should not come
RECIPIENT, TO_INTERFACE, TO_ENDPOINT = 0x1F, 1, 2  # of bmRequestType


class Failed(TypedDict):
    """A control transfer's errno."""

    errno: int


class Reads(TypedDict):
    """The data of each transfer, the times of the first `count` [s since the call was ready], the
    errno, 0 for none.
    """

    data: list[bytes]
    at_s: list[float]
    errno: int


class Ended(TypedDict):
    """The errno that a read ended with, 0 for none, and after how many seconds."""

    errno: int
    seconds: float


@contextlib.contextmanager
def opened(vendor: int, product: int) -> Iterator[Any]:
    """The device in libusb, with nothing left open after it.  ENODEV when it is not plugged in."""
    import usb.core  # type: ignore[import-not-found,import-untyped,unused-ignore]
    import usb.util  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from usb.backend import libusb1  # type: ignore[import-not-found,import-untyped,unused-ignore]

    # By its name: ctypes' own search runs a compiler.
    backend = libusb1.get_backend(find_library=lambda name: LIBRARY)
    if backend is None:
        raise OSError(errno.ENOSYS, f"{LIBRARY} is not on the target: install libusb-1.0-0")
    handles: list[Any] = []
    try:
        handles += backend.enumerate_devices()
        for handle in handles:
            ids = backend.get_device_descriptor(handle)
            if (ids.idVendor, ids.idProduct) == (vendor, product):
                device = usb.core.Device(handle, backend)
                break
        else:
            raise OSError(errno.ENODEV, f"no USB device {vendor:04x}:{product:04x} is plugged in")
        try:
            yield device
        finally:
            usb.util.dispose_resources(device)
    finally:
        # pyusb keeps its context as long as the process lives; libusb aborts when devices outlive
        # their context.
        for handle in handles:
            handle.finalize()
        backend.finalize()
        libusb1._lib_object = None


@contextlib.contextmanager
def claimed(device: Any, interface: int) -> Iterator[None]:
    """The interface, claimed, its kernel driver detached; reattached at the end."""
    import usb.util  # type: ignore[import-not-found,import-untyped,unused-ignore]

    had_driver = device.is_kernel_driver_active(interface)
    if had_driver:
        device.detach_kernel_driver(interface)
    try:
        usb.util.claim_interface(device, interface)
        yield
    finally:
        with contextlib.suppress(OSError):  # nothing to release when the device is gone
            usb.util.release_interface(device, interface)
            if had_driver:
                device.attach_kernel_driver(interface)


@call
def descriptor(
    vendor: int, product: int, kind: int, index: int = 0, language: int = 0, length: int = 255
) -> bytes:
    """GET_DESCRIPTOR, from the device itself."""
    with opened(vendor, product) as device:
        return bytes(device.ctrl_transfer(0x80, 6, kind << 8 | index, language, length))


@call
def strings(vendor: int, product: int) -> dict[str, str]:
    """The device's string descriptors in its first language, read from the device itself."""
    import usb.util  # type: ignore[import-not-found,import-untyped,unused-ignore]

    with opened(vendor, product) as device:
        indices = {
            "manufacturer": device.iManufacturer,
            "product": device.iProduct,
            "serial": device.iSerialNumber,
        }
        return {
            name: usb.util.get_string(device, index) for name, index in indices.items() if index
        }


@call
def control_in(
    vendor: int,
    product: int,
    request_type: int,
    request: int,
    value: int = 0,
    index: int = 0,
    length: int = 64,
    timeout_s: float = 1.0,
    interface: int = 0,
) -> bytes:
    """A control transfer from the device.  EPIPE when it stalls, ETIMEDOUT when it does not answer.

    For a request to an interface, or to an endpoint (of `interface`), the kernel driver is detached
    meanwhile.
    """
    with opened(vendor, product) as device, _without_driver(device, request_type, index, interface):
        return bytes(
            device.ctrl_transfer(request_type, request, value, index, length, int(timeout_s * 1000))
        )


@call
def control_out(
    vendor: int,
    product: int,
    request_type: int,
    request: int,
    value: int = 0,
    index: int = 0,
    data: bytes = b"",
    timeout_s: float = 1.0,
    interface: int = 0,
) -> int:
    """A control transfer to the device, otherwise as `control_in`; the number of bytes sent."""
    with opened(vendor, product) as device, _without_driver(device, request_type, index, interface):
        return int(
            device.ctrl_transfer(request_type, request, value, index, data, int(timeout_s * 1000))
        )


@call
def requests(
    vendor: int,
    product: int,
    wanted: list[tuple[int, int, int, int, int | bytes]],
    interface: int = 0,
    timeout_s: float = 1.0,
) -> list[bytes | int | Failed]:
    """Several control transfers in a row, the kernel driver of `interface` detached meanwhile.

    Each is [request_type, request, value, index, length or data]; each result is the data, the
    number of bytes sent, or {"errno": n}.  `timeout_s` is for each.
    """
    results: list[bytes | int | Failed] = []
    with opened(vendor, product) as device, claimed(device, interface):
        for request_type, request, value, index, rest in wanted:
            try:
                done = device.ctrl_transfer(
                    request_type, request, value, index, rest, int(timeout_s * 1000)
                )
                results.append(done if isinstance(done, int) else bytes(done))
            except OSError as error:
                results.append({"errno": error.errno or errno.EIO})
    return results


def _without_driver(
    device: Any, request_type: int, index: int, interface: int
) -> AbstractContextManager[None]:
    recipient = request_type & RECIPIENT
    if recipient not in (TO_INTERFACE, TO_ENDPOINT):
        return contextlib.nullcontext()
    return claimed(device, index & 0xFF if recipient == TO_INTERFACE else interface)


@call
def configuration(vendor: int, product: int) -> int:
    """GET_CONFIGURATION."""
    with opened(vendor, product) as device:
        return int(device.ctrl_transfer(0x80, 8, 0, 0, 1)[0])


@call
def set_interface(vendor: int, product: int, interface: int, alternate: int) -> int:
    """SET_INTERFACE, then GET_INTERFACE: the alternate setting.  EPIPE when the device stalls."""
    with opened(vendor, product) as device, claimed(device, interface):
        device.ctrl_transfer(0x01, 11, alternate, interface)
        return int(device.ctrl_transfer(0x81, 10, 0, interface, 1)[0])


@listen
def interrupt_reads(
    vendor: int,
    product: int,
    endpoint: int,
    count: int,
    size: int = 64,
    interface: int = 0,
    timeout_s: float = 2.0,
) -> Generator[None, None, Reads]:
    """Read an interrupt endpoint in place of the kernel driver.

    Ends after `count` transfers and EXTRA_MS without another one, at the first that fails, or at
    the timeout (ETIMEDOUT).  A transfer beyond `count` is returned, too: it should not have been
    there.
    """
    data: list[bytes] = []
    at_s: list[float] = []
    with opened(vendor, product) as device, claimed(device, interface):
        yield
        begun = time.monotonic()
        try:
            while len(data) < count:
                left = timeout_s - (time.monotonic() - begun)
                if left <= 0:
                    return {"data": data, "at_s": at_s, "errno": errno.ETIMEDOUT}
                data.append(bytes(device.read(endpoint, size, max(1, int(left * 1000)))))
                at_s.append(time.monotonic() - begun)
        except OSError as error:
            return {"data": data, "at_s": at_s, "errno": error.errno or errno.EIO}
        with contextlib.suppress(
            OSError
        ):  # the timeout, as it should be; the controller stops polling
            data.append(bytes(device.read(endpoint, size, EXTRA_MS)))
    return {"data": data, "at_s": at_s, "errno": 0}


@listen
def read_until_unplugged(
    vendor: int, product: int, endpoint: int, interface: int = 0, timeout_s: float = 3.0
) -> Generator[None, None, Ended]:
    """Read an endpoint that has no data while the device is unplugged."""
    with opened(vendor, product) as device, claimed(device, interface):
        yield
        begun = time.monotonic()
        result = 0
        try:
            device.read(endpoint, 64, int(timeout_s * 1000))
        except OSError as error:
            result = error.errno or errno.EIO
        return {"errno": result, "seconds": time.monotonic() - begun}


@call
def clear_halt(vendor: int, product: int, endpoint: int, interface: int = 0) -> int:
    """Clear an endpoint's halt through the kernel; GET_STATUS of the endpoint afterwards."""
    with opened(vendor, product) as device, claimed(device, interface):
        device.clear_halt(endpoint)
        return int.from_bytes(bytes(device.ctrl_transfer(0x82, 0, 0, endpoint, 2)), "little")


@call
def reset(vendor: int, product: int) -> float:
    """Reset the device's port, after which the kernel restores its configuration.

    The seconds it took.
    """
    begun = time.monotonic()
    with opened(vendor, product) as device:
        device.reset()
    return time.monotonic() - begun
