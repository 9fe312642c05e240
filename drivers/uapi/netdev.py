"""A network interface as sysfs shows it.   Ref: Documentation/ABI/testing/sysfs-class-net"""
from __future__ import annotations

import os
import time
from typing import TypedDict

from drivers.agent.call import call
from drivers.uapi import rtnetlink, sysfs
from drivers.uapi.sysfs import ABSENT, link_name

BUSES = ("platform", "pci", "virtio", "usb")


class Identity(TypedDict):
    """Who drives an interface; "" for what it does not have."""

    driver: str
    module: str
    device: str
    bus: str
    bus_device: str
    modalias: str
    of_node: str
    compatible: str
    devicetree_address: str
    address: str
    address_assign_type: str


@call
def identity(interface: str) -> Identity:
    """Who drives the interface: driver, module, device and its bus, modalias, devicetree
    node, compatible and address.

    `bus_device` is what ethtool's bus_info names: the device, or of a virtio device the one that
    carries it. What it does not have is "". ENODEV when there is no such interface.
    """
    base = f"/sys/class/net/{interface}"
    rtnetlink.index(interface)
    path, bus = os.path.realpath(f"{base}/device"), link_name(f"{base}/device/subsystem")
    carrier = os.path.dirname(path) if bus == "virtio" else path
    node = os.path.realpath(f"{base}/device/of_node")
    return {
        "driver": link_name(f"{base}/device/driver"),
        "module": link_name(f"{base}/device/driver/module"),
        "device": link_name(f"{base}/device"),
        "bus": bus,
        "bus_device": os.path.basename(carrier) if bus else "",
        "modalias": sysfs.read(f"{base}/device/modalias", ABSENT),
        "of_node": node.partition("/devicetree/base")[2],
        "compatible": sysfs.read(f"{node}/compatible", ABSENT).replace("\0", ","),
        "devicetree_address": sysfs.read_bytes(f"{node}/local-mac-address", ABSENT).hex(":"),
        "address": sysfs.read(f"{base}/address", ABSENT),
        "address_assign_type": sysfs.read(f"{base}/addr_assign_type", ABSENT),
    }


@call
def interface_of(device: str, timeout_s: float = 2.0) -> str:
    """The name of a device's interface, waiting up to `timeout_s` for it; "" when none came."""
    deadline = time.monotonic() + timeout_s
    while True:
        for bus in BUSES:
            folder = f"{sysfs.BUSES}/{bus}/devices/{device}/net"
            names = os.listdir(folder) if os.path.isdir(folder) else []
            if names:
                return names[0]
        if time.monotonic() >= deadline:
            return ""
        time.sleep(0.002)


def is_up(interface: str) -> bool:
    """Whether IFF_UP is set."""
    return bool(int(sysfs.read(f"/sys/class/net/{interface}/flags"), 16) & rtnetlink.IFF_UP)


def has_carrier(interface: str) -> bool:
    """The driver's carrier; False while the interface is down (EINVAL), or gone."""
    return sysfs.read(f"/sys/class/net/{interface}/carrier", sysfs.UNREADABLE) == "1"
