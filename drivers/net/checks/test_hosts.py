"""The board and its partner as hosts: ARP and ICMP echo, each asking the other."""
from __future__ import annotations

import pytest

from drivers.checks.net_contracts import (
    every_frame_is_taken,
    frames_are_received,
    no_transmit_timeout,
)
from drivers.uapi.frames import pattern


@pytest.mark.fault("cable:partner_mute", "dm9000:drop_tx")
def test_the_partner_answers_the_boards_arp_request(net, endpoints, cable):
    taken = endpoints.bind(every_frame_is_taken)
    answer = net.tracing(taken).exchange_arp(source=endpoints.ip, target=endpoints.partner_ip)
    assert answer.value == endpoints.partner_mac
    assert taken(answer)
    assert len(cable.received) == 1 and cable.partner.arp_requests >= 1


@pytest.mark.fault("dm9000:broadcast_lost", "dm9000:tx_padding_lost")
def test_the_board_answers_the_partners_arp_request(net, endpoints, cable):
    cable.send(endpoints.arp_request())
    assert cable.wait_for(1, timeout_s=2.0) == [endpoints.arp_reply()]


@pytest.mark.fault("dm9000:corrupt_rx_byte", "cable:partner_mute")
def test_the_partner_answers_the_boards_pings_of_every_size(net, endpoints, cable, measure):
    taken, quick = (endpoints.bind(c) for c in (every_frame_is_taken, no_transmit_timeout))
    for size in (0, 1, 55, 56, 57, 1000, 1471, 1472):
        answer = net.tracing(taken, quick).ping(address=endpoints.partner_ip, count=2, size=size)
        assert len(answer.value) == 2, (
            f"{2 - len(answer.value)} of 2 pings with {size} bytes got no good reply"
        )
        assert taken(answer) and quick(answer)
    measure("round trip of 1472 bytes", 1000 * min(answer.value), "ms")
    assert len(cable.received) == 16


@pytest.mark.fault("dm9000:corrupt_tx_byte", "dm9000:duplicate_tx")
def test_the_board_answers_the_partners_pings_of_every_size(net, endpoints, cable):
    sizes = (0, 1, 18, 19, 700, 1472)
    for sequence, size in enumerate(sizes):
        cable.send(endpoints.ping(sequence, pattern(size, sequence)))
        pongs = cable.wait_for(sequence + 1, timeout_s=2.0)
        assert endpoints.is_pong(pongs[-1], sequence, pattern(size, sequence)), (
            f"no good reply to {size} bytes"
        )
    assert len(cable.received) == len(sizes)


@pytest.mark.fault("seeded_bug:drop_rx", "dm9000:duplicate_rx")
def test_each_udp_datagram_is_delivered_once(net, endpoints, cable):
    claim = endpoints.bind(frames_are_received, frames=16)
    payloads = [b"%d" % number for number in range(16)]
    with net.tracing(claim).recv_udp(port=4000, count=17, until=payloads[-1]) as received:
        for payload in payloads:
            cable.send(endpoints.datagram((4001, 4000), payload))
    assert received.value == payloads
    assert claim(received)
