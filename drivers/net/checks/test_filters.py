"""The address filter: frames received by own address, multicast groups, all
multicast and promiscuously.
"""
from __future__ import annotations

import pytest

from drivers.checks.net_contracts import frames_are_received
from drivers.uapi.frames import BROADCAST, ETH_P_TEST, numbered

STRANGER = "02:00:00:00:00:77"
GROUP, OTHER_GROUP = "01:00:5e:00:00:05", "01:00:5e:11:22:33"  # of different hashes
LAST = b"nothing comes after this"


def destinations_received(net, endpoints, cable, destinations, frames=None, **how):
    """Send a frame to each destination, then a broadcast that ends the capture; which
    destinations were received.
    """
    sent = {
        seed: numbered(destination, endpoints.partner_mac, 100, seed)
        for seed, destination in enumerate(destinations)
    }
    last = numbered(BROADCAST, endpoints.partner_mac, 60)[:20] + LAST
    exerciser = net
    if frames is not None:
        claim = endpoints.bind(frames_are_received, frames=frames + 1)
        exerciser = net.tracing(claim)
    with exerciser.capture(
        count=99, timeout_s=2.0, ethertype=ETH_P_TEST, until=LAST, **how
    ) as received:
        for frame in [*sent.values(), last.ljust(60, b"\0")]:
            cable.send(frame)
    if frames is not None:
        assert claim(received)
    *found, ended = received.value["frames"]
    assert LAST in ended
    return [destination for seed, destination in enumerate(destinations) if sent[seed] in found]


@pytest.mark.fault("dm9000:accept_all", "dm9000:broadcast_lost")
def test_rx_filter_accepts_own_unicast_and_broadcast_only(net, endpoints, cable):
    sent = [STRANGER, endpoints.mac, BROADCAST, GROUP]
    assert destinations_received(net, endpoints, cable, sent, frames=2) == [
        endpoints.mac,
        BROADCAST,
    ]


@pytest.mark.fault("dm9000:ignore_multicast_hash", "dm9000:accept_all")
def test_rx_filter_accepts_a_joined_multicast_group_and_no_other(net, endpoints, cable):
    sent = [GROUP, OTHER_GROUP, STRANGER]
    assert destinations_received(net, endpoints, cable, sent, frames=1, multicast=[GROUP]) == [
        GROUP
    ]
    assert destinations_received(net, endpoints, cable, sent, frames=0) == [], (
        "the membership did not end with its socket"
    )


@pytest.mark.fault("dm9000:ignore_multicast_hash")
def test_rx_filter_accepts_forty_multicast_groups_at_once(net, endpoints, cable):
    groups = [f"01:00:5e:00:{number:02x}:{number * 7 % 256:02x}" for number in range(40)]
    assert (
        destinations_received(net, endpoints, cable, groups, frames=40, multicast=groups) == groups
    )


@pytest.mark.fault("dm9000:allmulti_ignored")
def test_allmulti_accepts_every_multicast_group(net, endpoints, cable):
    sent = [GROUP, STRANGER, OTHER_GROUP, "33:33:00:00:00:01"]
    received = destinations_received(net, endpoints, cable, sent, frames=3, allmulti=True)
    assert received == [GROUP, OTHER_GROUP, "33:33:00:00:00:01"]


@pytest.mark.fault("dm9000:promiscuous_ignored")
def test_promiscuous_mode_accepts_every_frame_until_it_is_left(net, endpoints, cable):
    sent = [STRANGER, GROUP, endpoints.mac]
    assert destinations_received(net, endpoints, cable, sent, promisc=True) == sent
    assert net.link().value["promiscuity"] == 0
    assert destinations_received(net, endpoints, cable, sent) == [endpoints.mac]


@pytest.mark.fault("dm9000:mac_registers_stuck")
def test_a_changed_mac_address_replaces_the_old_one_in_rx_and_tx(net, endpoints, cable):
    _ = net.set_link(up=False).value
    _ = net.set_link(address=STRANGER).value
    try:
        moved = net.set_up_link(
            address=endpoints.ip, partner=endpoints.partner_ip, partner_mac=endpoints.partner_mac
        ).value
        assert moved["mac"] == STRANGER
        assert destinations_received(net, endpoints, cable, [endpoints.mac, STRANGER]) == [STRANGER]
        cable.clear()
        _ = net.send_numbered(destination=endpoints.partner_mac, lengths=[64]).value
        assert cable.wait_for(1, timeout_s=2.0) == [numbered(endpoints.partner_mac, STRANGER, 64)]
    finally:
        _ = net.set_link(up=False).value
        _ = net.set_link(address=endpoints.mac).value
