"""Calls on a USB device through libusb, and through what sysfs says of it.   Ref: https://pyusb.github.io/pyusb"""
from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Generator
from typing import Any, Dict, Iterator, List

from drivers.agent.call import call, listen
from drivers.uapi import usb
from drivers.usb.hotplug import hear_out, hear_plugging, number, port_quirks, wait_plugged
from drivers.usb.power import power, resume, suspend

__all__ = [
    "bind", "clear_halt", "configuration", "control_in", "control_out", "descriptor", "hear_out", "hear_plugging",
    "identity", "interrupt_reads", "lose_device", "number", "port_quirks", "power", "requests", "reset", "resume",
    "set_configuration", "set_interface", "strings", "suspend", "sysfs_descriptors", "wait_plugged",
]

LIBRARY = "libusb-1.0.so.0"
MORE_MS = 20  # for a transfer that should not come
RECIPIENT, TO_INTERFACE, TO_ENDPOINT = 0x1F, 1, 2  # of bmRequestType


@contextlib.contextmanager
def opened(vendor: int, product: int) -> Iterator[Any]:
    """The device in libusb; ENODEV when it is not plugged in. Nothing stays open after it, no descriptor either."""
    import usb.core  # type: ignore[import-not-found,import-untyped,unused-ignore]
    import usb.util  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from usb.backend import libusb1  # type: ignore[import-not-found,import-untyped,unused-ignore]

    # By its name, for ctypes' own search runs a compiler.
    backend = libusb1.get_backend(find_library=lambda name: LIBRARY)
    if backend is None:
        raise OSError(errno.ENOSYS, "%s is not on the target: install libusb-1.0-0" % LIBRARY)
    known: List[Any] = []
    try:
        known += backend.enumerate_devices()
        for one in known:
            ids = backend.get_device_descriptor(one)
            if (ids.idVendor, ids.idProduct) == (vendor, product):
                device = usb.core.Device(one, backend)
                break
        else:
            raise OSError(errno.ENODEV, "no USB device %04x:%04x is plugged in" % (vendor, product))
        try:
            yield device
        finally:
            usb.util.dispose_resources(device)
    finally:
        # pyusb keeps its context for as long as the process lives; libusb aborts when devices outlive theirs.
        for one in known:
            one.finalize()
        backend.finalize()
        libusb1._lib_object = None


@contextlib.contextmanager
def claimed(device: Any, interface: int) -> Iterator[None]:
    """The interface without its kernel driver, which gets it back at the end."""
    import usb.util  # type: ignore[import-not-found,import-untyped,unused-ignore]

    had_driver = device.is_kernel_driver_active(interface)
    if had_driver:
        device.detach_kernel_driver(interface)
    try:
        usb.util.claim_interface(device, interface)
        yield
    finally:
        with contextlib.suppress(OSError):  # a device that is gone holds nothing
            usb.util.release_interface(device, interface)
            if had_driver:
                device.attach_kernel_driver(interface)


@call
def identity(vendor: int, product: int) -> Dict[str, Any]:
    """What sysfs says of the device: ids, speed [Mbit/s], texts, configuration, and each interface's driver."""
    device = usb.folder(vendor, product)
    names = ("idVendor", "idProduct", "bcdDevice", "version", "speed", "manufacturer", "product", "serial", "devnum",
             "busnum", "bConfigurationValue", "bmAttributes", "bMaxPower", "bMaxPacketSize0", "bNumInterfaces")
    said = {name: usb.read("%s/%s" % (device, name)).strip() for name in names}
    return {**said, "name": device.rsplit("/", 1)[-1], "drivers": usb.bound(device)}


@call
def sysfs_descriptors(vendor: int, product: int) -> bytes:
    """The device descriptor and the configurations after it, as the kernel keeps them."""
    with open(usb.folder(vendor, product) + "/descriptors", "rb") as opened_file:
        return opened_file.read()


@call
def descriptor(vendor: int, product: int, kind: int, index: int = 0, language: int = 0, length: int = 255) -> bytes:
    """A descriptor, asked of the device itself."""
    with opened(vendor, product) as device:
        return bytes(device.ctrl_transfer(0x80, 6, kind << 8 | index, language, length))


@call
def strings(vendor: int, product: int) -> Dict[str, str]:
    """The device's texts, asked of it in its first language."""
    import usb.util  # type: ignore[import-not-found,import-untyped,unused-ignore]

    with opened(vendor, product) as device:
        indices = {"manufacturer": device.iManufacturer, "product": device.iProduct, "serial": device.iSerialNumber}
        return {name: usb.util.get_string(device, index) for name, index in indices.items() if index}


@call
def control_in(vendor: int, product: int, request_type: int, request: int, value: int = 0, index: int = 0,
               length: int = 64, timeout_s: float = 1.0, interface: int = 0) -> bytes:
    """A control transfer from the device. EPIPE when it stalls, ETIMEDOUT when it does not answer.

    A request to an interface, or to an endpoint (of `interface`), takes it from its driver for so long.
    """
    with opened(vendor, product) as device, _without_driver(device, request_type, index, interface):
        return bytes(device.ctrl_transfer(request_type, request, value, index, length, int(timeout_s * 1000)))


@call
def control_out(vendor: int, product: int, request_type: int, request: int, value: int = 0, index: int = 0,
                data: bytes = b"", timeout_s: float = 1.0, interface: int = 0) -> int:
    """A control transfer to the device, as `control_in` is one from it; how many bytes it took."""
    with opened(vendor, product) as device, _without_driver(device, request_type, index, interface):
        return int(device.ctrl_transfer(request_type, request, value, index, data, int(timeout_s * 1000)))


@call
def requests(vendor: int, product: int, wanted: List[List[Any]], interface: int = 0,
             timeout_s: float = 1.0) -> List[Any]:
    """Several control transfers in a row, `interface` taken from its driver for so long.

    Each is [request_type, request, value, index, length or data]; each result is the data, the number of bytes taken,
    or {"errno": n}. `timeout_s` is for each.
    """
    found: List[Any] = []
    with opened(vendor, product) as device, claimed(device, interface):
        for request_type, request, value, index, rest in wanted:
            try:
                done = device.ctrl_transfer(request_type, request, value, index, rest, int(timeout_s * 1000))
                found.append(done if isinstance(done, int) else bytes(done))
            except OSError as error:
                found.append({"errno": error.errno or errno.EIO})
    return found


def _without_driver(device: Any, request_type: int, index: int, interface: int) -> Any:
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
def set_configuration(vendor: int, product: int, value: int) -> Dict[str, str]:
    """Set a configuration through the kernel, which probes its interfaces anew; each interface's driver after it."""
    device = usb.folder(vendor, product)
    usb.write(device + "/bConfigurationValue", str(value))
    return usb.bound(device)


@call
def set_interface(vendor: int, product: int, interface: int, alternate: int) -> int:
    """Choose an alternate setting and return the one that the device says it has. EPIPE when it refuses."""
    with opened(vendor, product) as device, claimed(device, interface):
        device.ctrl_transfer(0x01, 11, alternate, interface)
        return int(device.ctrl_transfer(0x81, 10, 0, interface, 1)[0])


@call
def bind(vendor: int, product: int, driver: str = "", interface: int = 0) -> Dict[str, str]:
    """Give an interface to a kernel driver, "" for none; each interface's driver after it."""
    device = usb.folder(vendor, product)
    name = next((n for n in usb.interfaces(device) if n.endswith(".%d" % interface)), "")
    if not name:
        raise OSError(errno.ENODEV, "%s has no interface %d" % (device, interface))
    usb.bind(name, driver or None)
    return usb.bound(device)


@listen
def interrupt_reads(vendor: int, product: int, endpoint: int, count: int, size: int = 64, interface: int = 0,
                    timeout_s: float = 2.0) -> Generator[None, None, Dict[str, Any]]:
    """Read an interrupt endpoint in place of the kernel driver: {"data": [bytes], "at_s": [times], "errno": n}.

    Ends after `count` transfers and a moment without another one, at the first that fails, or when `timeout_s` is over
    (ETIMEDOUT). One transfer more than `count` is returned, too: it should not have been there.
    """
    data: List[bytes] = []
    at_s: List[float] = []
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
        with contextlib.suppress(OSError):  # nothing more, as it should be; the controller stops asking
            data.append(bytes(device.read(endpoint, size, MORE_MS)))
    return {"data": data, "at_s": at_s, "errno": 0}


@listen
def lose_device(vendor: int, product: int, endpoint: int, interface: int = 0,
                timeout_s: float = 3.0) -> Generator[None, None, Dict[str, Any]]:
    """Read an endpoint that has nothing while the device is pulled out: its errno, and seconds until the read ended."""
    with opened(vendor, product) as device, claimed(device, interface):
        yield
        begun = time.monotonic()
        number = 0
        try:
            device.read(endpoint, 64, int(timeout_s * 1000))
        except OSError as error:
            number = error.errno or errno.EIO
        return {"errno": number, "seconds": time.monotonic() - begun}


@call
def clear_halt(vendor: int, product: int, endpoint: int, interface: int = 0) -> int:
    """Clear an endpoint's halt through the kernel; what GET_STATUS says of the endpoint after it."""
    with opened(vendor, product) as device, claimed(device, interface):
        device.clear_halt(endpoint)
        return int.from_bytes(bytes(device.ctrl_transfer(0x82, 0, 0, endpoint, 2)), "little")


@call
def reset(vendor: int, product: int) -> float:
    """Reset the device's port; the kernel sets it up as it was. The seconds that it took."""
    begun = time.monotonic()
    with opened(vendor, product) as device:
        device.reset()
    return time.monotonic() - begun
