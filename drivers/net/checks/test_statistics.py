"""The interface's statistics are what crossed the cable.

Ref: Documentation/networking/statistics.rst, if_link.h
"""
from __future__ import annotations

import pytest

from drivers.checks.slab_leak import grows
from drivers.uapi.frames import BROADCAST, numbered

LENGTHS = [60, 61, 333, 1000, 1514]


def counted(net, endpoints, cable):
    """The increase of the statistics while LENGTHS are echoed, with one multicast
    frame that no socket receives.
    """
    before = net.statistics().value
    with net.echo(count=len(LENGTHS), timeout_s=5.0) as echo:
        for seed, length in enumerate(LENGTHS):
            cable.send(endpoints.to_board(length, seed))
        cable.wait_for(len(LENGTHS), timeout_s=5.0)
    assert len(echo.value["frames"]) == len(LENGTHS)
    after = net.statistics().value
    return {name: after[name] - before[name] for name in after}


@pytest.mark.fault("dm9000:drop_rx", "dm9000:swallow_tx_completion")
def test_packet_and_byte_counters_match_the_wire(net, endpoints, cable):
    gained = counted(net, endpoints, cable)
    assert gained["rx_packets"] == len(cable.sent) == len(LENGTHS)
    assert gained["tx_packets"] == len(cable.received) == len(LENGTHS)
    assert gained["tx_bytes"] == sum(map(len, cable.received)) == sum(LENGTHS)
    wrong = {
        name: gained[name]
        for name in gained
        if "error" in name or ("dropped" in name and gained[name])
    }
    assert not any(wrong.values()), f"errors were counted: {wrong}"


@pytest.mark.fault("dm9000:wrong_rx_length")
def test_rx_bytes_excludes_the_fcs(net, endpoints, cable):
    """rx_bytes: "For IEEE 802.3 devices should count the length of Ethernet Frames
    excluding the FCS" (if_link.h).
    """
    gained = counted(net, endpoints, cable)
    assert gained["rx_bytes"] == sum(LENGTHS), (
        f"rx_bytes has {gained['rx_bytes'] - sum(LENGTHS)} bytes too many for {len(LENGTHS)} frames"
    )


@pytest.mark.fault("dm9000:ignore_multicast_hash")
def test_the_multicast_counter_counts_received_multicast_frames(net, endpoints, cable):
    group = "01:00:5e:00:00:05"
    before = net.statistics().value["multicast"]
    with net.capture(count=3, timeout_s=2.0, multicast=[group]) as received:
        for seed, destination in enumerate((group, BROADCAST, group)):
            cable.send(numbered(destination, endpoints.partner_mac, 60, seed))
    assert len(received.value["frames"]) == 3
    assert net.statistics().value["multicast"] - before in (2, 3)  # drivers differ on broadcasts


@pytest.mark.fault("dm9000:drop_tx")
def test_qdisc_counters_match_the_frames_sent(net, endpoints, cable):
    before = net.qdiscs().value[0]
    _ = net.send_and_drain(destination=endpoints.partner_mac, lengths=LENGTHS).value
    after = net.qdiscs().value[0]
    assert after["packets"] - before["packets"] == len(cable.received) == len(LENGTHS)
    assert after["bytes"] - before["bytes"] == sum(LENGTHS)
    assert (after["qlen"], after["backlog"], after["drops"]) == (0, 0, before["drops"])


@pytest.mark.fault("seeded_bug:leak_skb")
def test_tx_traffic_leaks_no_memory(net, kernel, endpoints, cable):
    samples = []
    for _ in range(8):
        assert (
            net.send_and_drain(destination=endpoints.partner_mac, lengths=[60] * 40).value["sent"]
            == 40
        )
        _ = kernel.shrink_caches().value
        samples.append(kernel.slab().value)
    assert grows(samples[1:], least=20) == {}, (
        "memory is lost with each 40 frames (cache: objects each time)"
    )
