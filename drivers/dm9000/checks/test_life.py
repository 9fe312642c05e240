"""Bind, unbind, load and unload, again and again and under traffic: nothing is lost on the way."""
from __future__ import annotations

import threading

import pytest

from drivers.checks.slab_leak import grows
from drivers.uapi.frames import BROADCAST, numbered


@pytest.fixture
def traffic(cable, endpoints):
    """Frames for the board, all the time: broadcasts, so that they are
    received whatever its address.
    """
    stop = threading.Event()

    def send():
        seed = 0
        while not stop.wait(0.03):
            cable.send(numbered(BROADCAST, endpoints.partner_mac, 60 + seed % 200, seed))
            seed += 1

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    yield
    stop.set()
    sender.join()


def nothing_is_left_behind(states, interface):
    assert {state["interface"] for state in states} == {interface}
    assert {state["references"] for state in states} == {states[0]["references"]}, (
        "the module's use count changed"
    )
    assert {state["fds"] for state in states} == {states[0]["fds"]}, "files stayed open"
    assert {state["handlers"] for state in states} == {1}, "interrupt handlers stayed behind"
    samples = [state["slab"] for state in states if state["slab"]]
    assert grows(samples[1:], least=len(states) / 10) == {}, (
        "memory is lost (cache: objects from sample to sample)"
    )


@pytest.mark.slow(10)
@pytest.mark.fault("seeded_bug:leak_memory_on_bind")
def test_fifty_rebinds_under_traffic_leak_nothing(net, dm9000, endpoints, cable, traffic, measure):
    states = dm9000.timeout(60.0).rebind(times=50).value
    measure("slowest bind", max(state["seconds"] for state in states), "s")
    nothing_is_left_behind(states, endpoints.interface)
    again = net.set_up_link(
        address=endpoints.ip, partner=endpoints.partner_ip, partner_mac=endpoints.partner_mac
    ).value
    assert again["mac"] == endpoints.mac
    assert len(net.ping(address=endpoints.partner_ip, count=3).value) == 3


@pytest.mark.slow(12)
@pytest.mark.fault("seeded_bug:leak_module_reference")
def test_twenty_module_reloads_under_traffic_leak_nothing(
    net, dm9000, endpoints, cable, traffic, measure
):
    states = dm9000.timeout(60.0).reload(times=20).value
    measure("slowest reload", max(state["seconds"] for state in states), "s")
    nothing_is_left_behind(states, endpoints.interface)
    _ = net.set_up_link(
        address=endpoints.ip, partner=endpoints.partner_ip, partner_mac=endpoints.partner_mac
    ).value
    assert len(net.ping(address=endpoints.partner_ip, count=3).value) == 3


@pytest.mark.fault("seeded_bug:irq_not_freed_on_down")
def test_the_irq_is_freed_while_the_interface_is_down(net, dm9000, kernel, endpoints, cable):
    def handlers():
        return [
            name for line in kernel.interrupts().value.values() for name in line["names"]
        ].count(endpoints.interface)

    assert handlers() == 1
    _ = net.set_link(up=False).value
    assert handlers() == 0
    _ = net.set_link(up=True).value
    assert handlers() == 1


@pytest.mark.fault("dm9000:register_reset_lost", "dm9000:reset_stuck")
def test_link_up_resets_the_chip(net, dm9000, endpoints, cable, dm9000_chip):
    assert (
        len(net.ping(address=endpoints.partner_ip, count=1, size=100).value) == 1
    )  # moves the buffers' pointers
    dm9000_chip.clear()
    _ = net.set_link(up=False).value
    assert dm9000_chip.receive(endpoints.to_board(60)) is None and dm9000_chip.rx_dropped_link == 1
    again = net.set_up_link(
        address=endpoints.ip, partner=endpoints.partner_ip, partner_mac=endpoints.partner_mac
    ).value
    assert again["mac"] == endpoints.mac and dm9000_chip.soft_resets == 2
    memory = dm9000_chip.sram
    assert (memory.tx_read, memory.tx_write, memory.rx_read, memory.rx_write) == (
        0,
        0,
        0x0C00,
        0x0C00,
    )
    assert len(net.ping(address=endpoints.partner_ip, count=1).value) == 1
    assert dm9000_chip.violations == [], (
        "the driver did what the chip's documentation does not provide for"
    )


@pytest.mark.expects(splat="dm9000 did not respond to (first|second) reset")
@pytest.mark.fault("dm9000:wrong_chip_id")
def test_a_reset_timeout_is_reported_in_the_log(net, dm9000, kernel, cable, dm9000_chip):
    position = kernel.snapshot().value["kmsg"]
    with dm9000_chip.faults.switched_on("reset_stuck"):
        _ = dm9000.rebind(up=False).value
    lines = [record["text"] for record in kernel.kmsg(since=position).value["records"]]
    assert any("did not respond to first reset" in line for line in lines)
    _ = dm9000.rebind(up=False).value


@pytest.mark.expects(splat="(read )?wrong id|not found")
@pytest.mark.fault("seeded_bug:fail_register_netdev")
def test_probe_refuses_a_wrong_chip_id_and_binds_later(net, dm9000, kernel, cable, dm9000_chip):
    who = net.identity().value
    _ = kernel.unbind(driver="dm9000", device=who["device"]).value
    with dm9000_chip.faults.switched_on("wrong_chip_id"):
        assert kernel.bind(driver="dm9000", device=who["device"]).errno == 19  # ENODEV
    assert kernel.bind(driver="dm9000", device=who["device"]).errno == 0
    assert (
        net.interface_of(device=who["device"]).value == who and who
    ) or net.identity().value == who


@pytest.mark.slow(5)
@pytest.mark.fault("seeded_bug:fail_register_netdev")
def test_a_failed_register_netdev_leaves_the_device_unbound(net, dm9000, kernel, cable, rig):
    """dm9000_probe returns 0 although register_netdev failed: the device is bound to nothing."""
    device = net.identity().value["device"]
    _ = kernel.unbind(driver="dm9000", device=device).value
    _ = kernel.seed_bug(bug="fail_register_netdev").value
    errno = kernel.bind(driver="dm9000", device=device).errno
    _ = kernel.remove_seeded_bug().value
    if errno == 0:
        rig.power_cycle()  # there is no way back
    else:
        _ = kernel.bind(driver="dm9000", device=device).value
    assert errno != 0, "the driver says that it is bound, without an interface"
