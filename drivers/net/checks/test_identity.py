"""The driver of the interface, and how sysfs, ethtool and netlink identify it."""
from __future__ import annotations

import errno

import pytest


@pytest.mark.fault("dm9000:wrong_chip_id")
def test_rebind_brings_the_interface_back_with_its_driver(net, kernel):
    before = net.identity().value
    device = before["device"]
    assert kernel.rebind(driver=net.device.driver, device=device, bus=before["bus"]).errno == 0
    assert net.interface_of(device=device).value == net.device.arguments["interface"]
    identity = net.identity().value
    assert identity["device"] == device
    assert identity["driver"] == identity["module"] == net.device.driver


@pytest.mark.fault("dm9000:eeprom_bit_flip", "dm9000:wrong_chip_id")
def test_sysfs_ethtool_and_netlink_agree_on_driver_and_mac_address(net, kernel):
    identity = net.identity().value
    assert (
        kernel.rebind(
            driver=identity["driver"], device=identity["device"], bus=identity["bus"]
        ).errno
        == 0
    )
    info = net.driver_info().value
    link = net.link().value
    assert (info["driver"], info["bus_info"]) == (identity["driver"], identity["bus_device"])
    assert link["address"] == identity["address"] and not int(identity["address"][:2], 16) & 1
    if net.device.compatible:
        assert identity["compatible"] in identity["modalias"] and identity["of_node"].startswith(
            "/"
        )
    assert (link["mtu"], link["qdisc"]) == (1500, "noop")
    assert identity["address_assign_type"] == "0", (
        "the address is none that the driver was given: it is random or stolen"
    )


@pytest.mark.fault("dm9000:wrong_chip_id")
def test_bind_unbind_and_netlink_refuse_a_missing_or_bound_device(net, kernel):
    identity = net.identity().value
    assert net.link(interface="nosuch0").errno == errno.ENODEV
    at = {"driver": identity["driver"], "device": identity["device"], "bus": identity["bus"]}
    assert kernel.bind(**at).errno == errno.EBUSY
    assert kernel.unbind(**{**at, "device": "nosuch.device"}).errno == errno.ENODEV
    assert kernel.unbind(**at).errno == 0
    assert net.link().errno == errno.ENODEV
    assert kernel.bind(**at).errno == 0
