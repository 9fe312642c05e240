"""A transmission whose completion is lost times out, and transmission recovers.

Ref: dm9000_timeout
"""
from __future__ import annotations

import pytest

from drivers.checks.net_contracts import one_transmit_timeout
from drivers.dm9000.checks.contracts import no_timeout, one_timeout_that_initialises

WATCHDOG_MS = 400  # instead of 5000, so that a check need not wait as long


@pytest.fixture
def quick_watchdog(dm9000, dm9000_chip, request):
    """Load the driver with a short watchdog on a chip of the revision that the check asks
    for; both as before after.
    """
    was = dm9000_chip.revision
    dm9000_chip.revision = getattr(request, "param", was)
    dm9000_chip.reset()
    _ = dm9000.reload(options=f"watchdog={WATCHDOG_MS}", up=False).value
    yield
    dm9000_chip.revision = was
    dm9000_chip.reset()
    _ = dm9000.reload(up=False).value


def loses_one_completion_and_goes_on(net, dm9000, endpoints, cable, chip, measure):
    """Lose the completion of one frame; all frames after the timeout must leave."""
    chip.faults.set("swallow_tx_completion", limit=1)
    contracts = [one_timeout_that_initialises, endpoints.bind(one_transmit_timeout)]
    lengths = [100 + number for number in range(8)]
    lost = (
        net.timeout(3.0)
        .tracing(*contracts)
        .send_and_drain(destination=endpoints.partner_mac, lengths=lengths, timeout_s=3.0)
    )
    assert lost.errno == 0
    chip.faults.set("swallow_tx_completion", False)
    for contract in contracts:
        assert contract(lost)
    cable.clear()
    after = net.tracing(no_timeout).send_and_drain(
        destination=endpoints.partner_mac, lengths=lengths, timeout_s=2.0
    )
    assert after.value["sent"] == len(lengths)
    assert cable.received == [
        endpoints.from_board(length, seed) for seed, length in enumerate(lengths)
    ]
    assert no_timeout(after)
    measure("time lost by one completion", lost.value["seconds"], "s", limit=3.5)
    with net.echo(count=1, timeout_s=2.0) as echo:
        cable.send(endpoints.to_board(100))
    assert echo.value["frames"] == [endpoints.to_board(100)]


@pytest.mark.slow(5)
@pytest.mark.expects(splat="NETDEV WATCHDOG")
@pytest.mark.parametrize("quick_watchdog", ["A", "E"], indirect=True)
@pytest.mark.fault("dm9000:lose_interrupts")
def test_tx_timeout_recovers_from_a_lost_completion(
    quick_watchdog, net, dm9000, endpoints, cable, dm9000_chip, measure
):
    loses_one_completion_and_goes_on(net, dm9000, endpoints, cable, dm9000_chip, measure)


@pytest.mark.slow(12)
@pytest.mark.expects(splat="NETDEV WATCHDOG")
@pytest.mark.parametrize("quick_watchdog", ["B"], indirect=True)
@pytest.mark.fault("dm9000:lose_interrupts")
def test_tx_timeout_on_a_dm9000b_recovers_without_a_deadlock(
    quick_watchdog, net, dm9000, endpoints, cable, dm9000_chip, measure
):
    """dm9000_timeout holds the driver's lock while dm9000_phy_write, which only a B
    needs there, takes it again.
    """
    loses_one_completion_and_goes_on(net, dm9000, endpoints, cable, dm9000_chip, measure)
