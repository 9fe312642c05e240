"""Who drives the interface, and what it says of itself."""
from __future__ import annotations

import errno

import pytest


@pytest.mark.fault("dm9000:wrong_chip_id")
def test_rebind_brings_the_interface_back_with_its_driver(net, kernel):
    before = net.identity().value
    device = before["device"]
    assert kernel.rebind(driver=net.device.driver, device=device, bus=before["bus"]).errno == 0
    assert net.interface_of(device=device).value == net.device.arguments["interface"]
    who = net.identity().value
    assert who["device"] == device
    assert who["driver"] == who["module"] == net.device.driver


@pytest.mark.fault("dm9000:eeprom_bit_flip", "dm9000:wrong_chip_id")
def test_sysfs_ethtool_and_netlink_agree_on_driver_and_mac_address(net, kernel):
    who = net.identity().value
    assert kernel.rebind(driver=who["driver"], device=who["device"], bus=who["bus"]).errno == 0
    told = net.driver_info().value
    link = net.link().value
    assert (told["driver"], told["bus_info"]) == (who["driver"], who["bus_device"])
    assert link["address"] == who["address"] and not int(who["address"][:2], 16) & 1
    if net.device.compatible:
        assert who["compatible"] in who["modalias"] and who["of_node"].startswith("/")
    assert (link["mtu"], link["qdisc"]) == (1500, "noop")
    assert who["address_assign_type"] == "0", (
        "the address is none that the driver was given: it is random or stolen"
    )


@pytest.mark.fault("dm9000:wrong_chip_id")
def test_bind_unbind_and_netlink_refuse_a_missing_or_bound_device(net, kernel):
    who = net.identity().value
    assert net.link(interface="nosuch0").errno == errno.ENODEV
    at = {"driver": who["driver"], "device": who["device"], "bus": who["bus"]}
    assert kernel.bind(**at).errno == errno.EBUSY
    assert kernel.unbind(**{**at, "device": "nosuch.device"}).errno == errno.ENODEV
    assert kernel.unbind(**at).errno == 0
    assert net.link().errno == errno.ENODEV
    assert kernel.bind(**at).errno == 0
