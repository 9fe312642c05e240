"""Checksum offload, right and wrong, in both directions.

Ref: Documentation/networking/checksum-offloads.rst
"""
from __future__ import annotations

import pytest

from drivers.uapi.frames import IPPROTO_TCP, IPPROTO_UDP, checksum, pattern, transport

SYN, RST, ACK = 0x02, 0x04, 0x10
TX, RX = "tx-checksum-ipv4", "rx-checksum"
PORTS = (4001, 4000)
LAST = b"the last one"


@pytest.fixture
def offload(net, request):
    """Switch offloads for a check: offload(TX, False); as they were afterwards."""
    was = {
        name: state["requested"] for name, state in net.features().value.items() if name in (TX, RX)
    }

    def switch(name, on):
        _ = net.set_features(wanted={name: on}).value
        if net.features().value[name]["active"] != on:
            pytest.skip(f"the interface cannot switch {name} to {on}")

    yield switch
    _ = net.set_features(wanted=was).value


def is_right(frame, protocol):
    """Whether the IP header's and the segment's checksums of a frame on the wire are right."""
    found, pseudo, segment = transport(frame)
    return (found, checksum(pseudo + segment), checksum(frame[14:34])) == (protocol, 0, 0)


def plain_frame_first(net, endpoints, cable):
    """Send a frame that needs no checksum: a driver that programs only changes into
    its chip then has one to program.
    """
    _ = net.send_numbered(destination=endpoints.partner_mac, lengths=[60]).value
    cable.wait_for(1, timeout_s=2.0)
    cable.clear()


def send_and_judge(net, endpoints, cable):
    """Send UDP of odd and even lengths and a TCP SYN from the kernel's own
    stack, and judge the wire.
    """
    payloads = [pattern(length, length) for length in (1, 2, 17, 18, 999, 1472)]
    plain_frame_first(net, endpoints, cable)
    assert net.send_udp(address=endpoints.partner_ip, port=4000, payloads=payloads).errno == 0
    frames = cable.wait_for(len(payloads), timeout_s=3.0)
    assert [frame[42 : 42 + len(payload)] for frame, payload in zip(frames, payloads)] == payloads
    assert all(is_right(frame, IPPROTO_UDP) for frame in frames), (
        "a UDP checksum is wrong on the wire"
    )
    with net.connect_tcp(
        address=endpoints.partner_ip, port=9, source_port=5001, timeout_s=3.0
    ) as opening:
        syn = cable.wait_for(len(payloads) + 1, timeout_s=3.0)[-1]
        number = int.from_bytes(syn[38:42], "big")
        cable.send(endpoints.segment((9, 5001), (0, number + 1), RST | ACK))
    assert is_right(syn, IPPROTO_TCP) and syn[47] == SYN
    assert opening.value == "refused"


@pytest.mark.fault("dm9000:tx_checksum_wrong", "dm9000:tx_checksum_missing")
def test_tx_csum_offload_sends_right_checksums(net, endpoints, cable, offload):
    offload(TX, True)
    send_and_judge(net, endpoints, cable)


@pytest.mark.fault("cable:corrupt")
def test_tx_csum_in_software_sends_right_checksums(net, endpoints, cable, offload):
    offload(TX, False)
    send_and_judge(net, endpoints, cable)


def receive_good_and_bad(net, endpoints, cable):
    """Send good and bad datagrams; which came through, and how many more
    the kernel counted as bad.
    """
    before = net.snmp().value["Udp"]["InCsumErrors"]
    with net.recv_udp(port=4000, count=9, until=LAST) as received:
        for payload, wrong in (
            (b"good", False),
            (b"bad!", True),
            (b"odd", False),
            (b"worse", True),
            (LAST, False),
        ):
            cable.send(endpoints.datagram(PORTS, payload, wrong=wrong))
    return received.value, net.snmp().value["Udp"]["InCsumErrors"] - before


@pytest.mark.fault("dm9000:bad_checksum_marked_good", "dm9000:checksum_flag_bad")
def test_rx_csum_offload_rejects_a_bad_udp_checksum(net, endpoints, cable, offload):
    offload(RX, True)
    assert receive_good_and_bad(net, endpoints, cable) == ([b"good", b"odd", LAST], 2)


@pytest.mark.fault("dm9000:drop_rx")
def test_rx_csum_in_software_rejects_a_bad_udp_checksum(net, endpoints, cable, offload):
    offload(RX, False)
    assert receive_good_and_bad(net, endpoints, cable) == ([b"good", b"odd", LAST], 2)


@pytest.mark.fault("dm9000:bad_checksum_marked_good")
def test_rx_csum_offload_rejects_a_bad_tcp_checksum(net, endpoints, cable, offload):
    offload(RX, True)
    with net.connect_tcp(
        address=endpoints.partner_ip, port=9, source_port=5002, timeout_s=0.5
    ) as opening:
        number = int.from_bytes(cable.wait_for(1, timeout_s=3.0)[0][38:42], "big")
        cable.send(endpoints.segment((9, 5002), (0, number + 1), RST | ACK, wrong=True))
    assert opening.value == "timeout"


@pytest.mark.fault("cable:drop")
def test_rx_csum_offload_rejects_a_bad_icmp_checksum(net, endpoints, cable, offload):
    """The chip knows TCP, UDP and IPv4 headers only; of anything else it cannot
    say that it was verified.
    """
    offload(RX, True)
    cable.send(endpoints.ping(1, b"spoilt", wrong=True))
    cable.send(endpoints.ping(2, b"good"))
    pong = cable.wait_for(lambda frame: endpoints.is_pong(frame, 2, b"good"), timeout_s=2.0)
    assert len(pong) == 1
    assert cable.received == pong, "the board answered an echo request whose checksum is wrong"


@pytest.mark.fault("dm9000:drop_rx")
def test_rx_csum_offload_rejects_a_bad_ipv6_udp_checksum(net, endpoints, cable, offload):
    """The chip does not know IPv6."""
    offload(RX, True)
    here, there = "fd00::2", "fd00::1"
    if "v6" not in net.snmp().value:
        pytest.skip("this kernel has no IPv6")
    _ = net.set_up_link(
        address=endpoints.ip,
        partner=endpoints.partner_ip,
        partner_mac=endpoints.partner_mac,
        ipv6=True,
    ).value
    _ = net.add_address(address=here, prefix=64).value
    try:
        with net.recv_udp(port=4000, count=9, ipv6=True, until=LAST) as received:
            for payload, wrong in ((b"good", False), (b"bad!", True), (LAST, False)):
                cable.send(endpoints.datagram6(there, here, PORTS, payload, wrong))
    finally:
        _ = net.remove_address(address=here, prefix=64).value
        _ = net.set_sysctl(name=f"ipv6/conf/{endpoints.interface}/disable_ipv6", value="1").value
    assert received.value == [b"good", LAST], (
        "a datagram whose checksum is wrong reached the program"
    )


@pytest.mark.fault("dm9000:tx_checksum_missing")
def test_tx_csum_offload_survives_link_down_and_up(net, endpoints, cable, offload):
    offload(TX, True)
    plain_frame_first(net, endpoints, cable)
    assert net.send_udp(address=endpoints.partner_ip, port=4000, payloads=[b"before"]).errno == 0
    before = cable.wait_for(1, timeout_s=2.0)
    _ = net.set_link(up=False).value
    _ = net.set_up_link(
        address=endpoints.ip, partner=endpoints.partner_ip, partner_mac=endpoints.partner_mac
    ).value
    cable.clear()
    assert net.send_udp(address=endpoints.partner_ip, port=4000, payloads=[b"after"]).errno == 0
    after = cable.wait_for(1, timeout_s=2.0)
    assert [is_right(frame, IPPROTO_UDP) for frame in (before[0], after[0])] == [True, True]
