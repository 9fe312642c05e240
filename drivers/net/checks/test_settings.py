"""What ethtool shows and sets on any interface with a PHY."""
from __future__ import annotations

import errno

import pytest

BMCR, BMSR, PHYSID1, ANAR = 0, 1, 2, 4
ANRESTART = 0x0200
ADVERTISE_10_ONLY, ADVERTISE_ALL = 0x0061, 0x01E1  # 10 half and full; and 100 half and full


@pytest.mark.fault("dm9000:phy_write_lost")
def test_autonegotiation_follows_the_advertised_10_and_100_mbit(net, endpoints, cable):
    for offer, speed in ((ADVERTISE_10_ONLY, 10), (ADVERTISE_ALL, 100)):
        _ = net.mii_write(register=ANAR, value=offer).value
        _ = net.restart_link().value
        assert net.mii_read(register=ANAR).value == offer
        assert net.wait_for_carrier(wanted=True, timeout_s=2.0).value < 2.0
        assert (net.link_settings().value["speed"], net.link_settings().value["duplex"]) == (
            speed,
            "full",
        )
    assert len(net.ping(address=endpoints.partner_ip, count=1).value) == 1


@pytest.mark.fault("dm9000:phy_reads_ffff")
def test_the_mii_registers_show_link_and_autonegotiation(net, endpoints, cable):
    _ = net.mii_read(
        register=BMSR
    ).value  # the link bit is latched: the first read may be stale
    status = net.mii_read(register=BMSR).value
    assert (status & 0x0004, status & 0x0020) == (0x0004, 0x0020)
    assert net.mii_read(register=BMCR).value & 0x1000
    assert net.mii_read(register=PHYSID1).value not in (0, 0xFFFF)


@pytest.mark.fault("seeded_bug:warn")
def test_unsupported_mtu_mac_address_and_register_dump_are_refused(net, endpoints, cable):
    assert net.registers().errno in (0, errno.EOPNOTSUPP)
    assert net.set_link(mtu=65000).errno in (errno.EINVAL, errno.ERANGE)
    assert net.set_link(address="01:00:5e:00:00:01").errno in (errno.EADDRNOTAVAIL, errno.EBUSY)
    assert len(net.ping(address=endpoints.partner_ip, count=1).value) == 1


@pytest.mark.fault("seeded_bug:warn")
def test_ethtool_msglvl_is_kept_as_set(net, endpoints, cable):
    was = net.message_level().value
    try:
        assert net.message_level(level=0x0007).value == 0x0007
        assert net.message_level().value == 0x0007
    finally:
        assert net.message_level(level=was).value == was
    assert len(net.ping(address=endpoints.partner_ip, count=1).value) == 1


@pytest.mark.fault("dm9000:tx_truncated")
def test_a_smaller_mtu_fragments_udp_and_the_full_one_does_not(net, endpoints, cable):
    for mtu, lengths in ((600, [610, 610, 362]), (1500, [1514])):
        _ = net.set_link(mtu=mtu).value
        cable.clear()
        assert (
            net.send_udp(address=endpoints.partner_ip, port=4000, payloads=[bytes(1472)]).errno == 0
        )
        assert list(map(len, cable.wait_for(len(lengths), timeout_s=2.0))) == lengths


@pytest.mark.slow(3)
@pytest.mark.fault("dm9000:swallow_tx_completion")
def test_no_tx_completion_is_lost_while_ethtool_polls_the_link(net, endpoints, cable, measure):
    """Poll at full rate for less than the transmit watchdog's timeout, so that
    the watchdog cannot hide a lost completion.
    """
    answer = net.poll_ethtool(destination=endpoints.partner_mac, count=200, timeout_s=3.0)
    measure("ethtool polls meanwhile", answer.value["polls"])
    assert answer.value["sent"] == 200, (
        f"only {answer.value['sent']} of 200 frames were sent within 3 s"
    )
    assert len(cable.received) == 200
