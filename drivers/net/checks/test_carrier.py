"""The carrier follows the cable."""
from __future__ import annotations

import pytest

from drivers.checks.endpoints import plug
from drivers.checks.net_contracts import carrier_off, carrier_on
from drivers.contract import contract, count

LINKWATCH_S = 1.1  # linkwatch reports lost links at most once a second
carrier_goes_once = contract("the carrier goes once", count(carrier_off, exactly=1))
carrier_comes_once = contract("the carrier comes once", count(carrier_on, exactly=1))


@pytest.mark.fault("dm9000:lose_link_interrupts", "cable:link_stuck_up")
def test_the_carrier_follows_the_cable_both_ways(net, endpoints, cable, measure):
    limit = net.limits.get("carrier_s", 1.0)
    for plugged, claim in ((False, carrier_goes_once), (True, carrier_comes_once)):
        watching = net.tracing(claim).watch_link(
            wanted=plugged, timeout_s=2 * limit, quiet_s=LINKWATCH_S
        )
        with watching as watch:
            cable.link = plugged
        notice = watch.value[-1]
        measure("carrier comes" if plugged else "carrier goes", notice["at_s"], "s", limit=limit)
        assert (notice["carrier"], notice["operstate"]) == (plugged, "up" if plugged else "down")
        assert claim(watch)


@pytest.mark.fault("dm9000:link_stuck_down", "dm9000:drop_rx")
def test_rx_and_tx_resume_after_the_cable_is_plugged_back(net, endpoints, cable):
    assert plug(net, cable, False) < 1.0
    assert plug(net, cable, True) < 1.0
    cable.clear()
    frames = [endpoints.to_board(length) for length in (60, 400)]
    with net.echo(count=2, timeout_s=2.0) as echo:
        for frame in frames:
            cable.send(frame)
    assert echo.value["frames"] == frames
    assert cable.received == [endpoints.from_board(length) for length in (60, 400)]


@pytest.mark.slow(6)
@pytest.mark.fault("cable:link_stuck_down")
def test_the_carrier_survives_a_hundred_link_flaps(net, endpoints, cable, measure):
    before = net.link().value["carrier_changes"]
    slowest = max(plug(net, cable, bool(change % 2)) for change in range(200))
    measure("slowest of 200 carrier changes", slowest, "s", limit=net.limits.get("carrier_s", 1.0))
    assert net.link().value["carrier_changes"] - before == 200
    assert len(net.ping(address=endpoints.partner_ip, count=1).value) == 1


@pytest.mark.fault("dm9000:link_stuck_up")
def test_frames_sent_without_carrier_are_dropped_and_not_sent_later(net, endpoints, cable):
    plug(net, cable, False)
    _ = net.send_numbered(destination=endpoints.partner_mac, lengths=[100] * 3, timeout_s=2.0).errno
    plug(net, cable, True)
    assert net.send_numbered(destination=endpoints.partner_mac, lengths=[200], first=7).value == 200
    assert cable.wait_for(1, timeout_s=2.0) == [endpoints.from_board(200, 7)]


@pytest.mark.fault("dm9000:wrong_partner_ability")
def test_ethtool_reports_the_autonegotiated_speed_and_duplex(net, endpoints, cable):
    settings = net.link_settings().value
    assert (settings["speed"], settings["duplex"], settings["autoneg"]) == (100, "full", True)
    assert {"10baseT/Half", "100baseT/Full", "Autoneg"} <= set(settings["supported"])
    assert "100baseT/Full" in settings["partner"]
