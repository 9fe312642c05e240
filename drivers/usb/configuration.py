"""A USB device through its sysfs attributes: identity, descriptors, configuration, drivers.

Ref: Documentation/ABI/stable/sysfs-bus-usb
"""
from __future__ import annotations

import errno

from drivers.agent.call import call
from drivers.uapi import sysfs, usb

ATTRIBUTES = (
    "idVendor", "idProduct", "bcdDevice", "version", "speed", "manufacturer", "product", "serial",
    "devnum", "busnum", "bConfigurationValue", "bmAttributes", "bMaxPower", "bMaxPacketSize0",
    "bNumInterfaces",
)  # fmt: skip


@call
def identity(vendor: int, product: int) -> dict[str, str | dict[str, str]]:
    """The device's sysfs attributes (ATTRIBUTES; speed in Mbit/s), "name", and "drivers": interface
    → driver.
    """
    device = usb.folder(vendor, product)
    attributes = {name: sysfs.read(f"{device}/{name}", sysfs.ABSENT) for name in ATTRIBUTES}
    return {**attributes, "name": device.rsplit("/", 1)[-1], "drivers": usb.bound(device)}


@call
def sysfs_descriptors(vendor: int, product: int) -> bytes:
    """The device descriptor and the configurations after it, as the kernel cached them."""
    return sysfs.read_bytes(usb.folder(vendor, product) + "/descriptors")


@call
def set_configuration(vendor: int, product: int, value: int) -> dict[str, str]:
    """Set a configuration through the kernel, which probes its interfaces.

    Interface → driver afterwards.
    """
    device = usb.folder(vendor, product)
    sysfs.write(device + "/bConfigurationValue", value)
    return usb.bound(device)


@call
def bind(vendor: int, product: int, driver: str = "", interface: int = 0) -> dict[str, str]:
    """Bind an interface to a kernel driver, "" for none; interface → driver afterwards."""
    device = usb.folder(vendor, product)
    name = next((n for n in usb.interfaces(device) if n.endswith(f".{interface}")), "")
    if not name:
        raise OSError(errno.ENODEV, f"{device} has no interface {interface}")
    usb.bind(name, driver)
    return usb.bound(device)
