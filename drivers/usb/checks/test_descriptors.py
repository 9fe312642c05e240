"""Descriptors: the device's, those that the kernel cached, and those declared by the model."""
from __future__ import annotations

import pytest

from drivers.checks.replug import replug

DEVICE, CONFIGURATION, STRING = 1, 2, 3


@pytest.mark.fault(
    "mouse_24ae_2002:wrong_product_id",
    "mouse_24ae_2002:device_descriptor_short",
    "mouse_24ae_2002:wrong_interval",
    "mouse_24ae_2002:control_mute",
)
def test_sysfs_descriptors_match_those_of_the_device(usb, plugged):
    device = usb.descriptor(kind=DEVICE).value
    configuration = usb.descriptor(kind=CONFIGURATION).value
    assert usb.sysfs_descriptors().value == device + configuration


@pytest.mark.fault(
    "mouse_24ae_2002:wrong_total_length",
    "mouse_24ae_2002:wrong_descriptor_length",
    "mouse_24ae_2002:wrong_endpoint_address",
    "mouse_24ae_2002:stall_every_request",
    "mouse_24ae_2002:control_error",
    "mouse_24ae_2002:replug_lost",
)
@pytest.mark.expects(splat=r"usb \d-\d: |usb usb\d-port\d: |usbhid ")
def test_enumeration_finds_the_declared_descriptors(usb, pointer):
    assert list(replug(usb, pointer).value.values()) == ["usbhid"]
    declared = pointer.declared
    cached = usb.sysfs_descriptors().value
    assert cached[:18] == bytes.fromhex("12 01 10 01 00 00 00 08 ae 24 02 20 10 01 01 02 00 01")
    assert cached[18:] == declared.configurations[0].pack(declared.strings)
    identity = usb.identity().value
    assert (identity["idVendor"], identity["idProduct"], identity["speed"]) == (
        "24ae",
        "2002",
        "12",
    )
    assert (identity["manufacturer"], identity["product"]) == (
        "RAPOO",
        "Rapoo 2.4G Wireless Device",
    )
    assert (identity["bNumInterfaces"], identity["bMaxPower"], identity["bMaxPacketSize0"]) == (
        "1",
        "98mA",
        "8",
    )


@pytest.mark.fault("mouse_24ae_2002:strings_missing", "mouse_24ae_2002:stall_every_request")
def test_string_descriptors_match_those_in_sysfs(usb, plugged):
    identity = usb.identity().value
    known = {
        name: identity[name] for name in ("manufacturer", "product", "serial") if identity[name]
    }
    assert usb.strings().value == known
    assert "product" in known


@pytest.mark.slow
@pytest.mark.fault("mouse_24ae_2002:stall_every_request")
@pytest.mark.expects(splat=r"usb \d-\d: |usb usb\d-port\d: ")
def test_the_device_enumerates_at_low_speed(usb, pointer):
    _ = replug(usb, pointer, speed="low").value
    identity = usb.identity().value
    assert (identity["speed"], identity["product"]) == ("1.5", "Rapoo 2.4G Wireless Device")
