"""Frames arrive as they were sent: every length, tagged, short, and in bursts."""
from __future__ import annotations

import pytest

from drivers.checks.net_contracts import (
    every_frame_is_taken,
    frames_are_given,
    frames_are_received,
    no_transmit_timeout,
)
from drivers.uapi.frames import ETH_P_TEST, ethernet

ROOM = 8000  # bytes under way at once: less than the smallest receive buffer of a chip
SOME = [
    60,
    61,
    62,
    63,
    64,
    65,
    127,
    128,
    129,
    255,
    256,
    511,
    512,
    513,
    777,
    1023,
    1024,
    1025,
    1499,
    1513,
    1514,
]


def windows(lengths):
    """The lengths in order, in groups that fit into ROOM."""
    group = []
    for length in lengths:
        if group and sum(group) + length > ROOM:
            yield group
            group = []
        group.append(length)
    yield group


def crosses_both_ways(net, endpoints, cable, lengths, events=()):
    """Send each length to the board, have it sent back, and compare both
    ways; the echo's answer.
    """
    sent = back = 0
    with net.tracing(*events).echo(count=len(lengths), timeout_s=5.0) as echo:
        for window in windows(lengths):
            for length in window:
                cable.send(endpoints.to_board(length, seed=sent))
                sent += 1
            back += len(window)
            cable.wait_for(back, timeout_s=5.0)
    assert echo.value["drops"] == 0
    assert echo.value["frames"] == [
        endpoints.to_board(length, seed) for seed, length in enumerate(lengths)
    ]
    assert cable.received == [
        endpoints.from_board(length, seed) for seed, length in enumerate(lengths)
    ]
    return echo


@pytest.mark.fault(
    "dm9000:corrupt_rx_byte",
    "dm9000:corrupt_tx_byte",
    "dm9000:tx_truncated",
    "dm9000:wrong_rx_length",
    "dm9000:rx_length_out_of_step",
    "dm9000:tx_pointer_wrap",
    "cable:corrupt",
)
def test_frames_of_some_lengths_pass_rx_and_tx_unchanged(net, endpoints, cable):
    contracts = [
        endpoints.bind(every_frame_is_taken),
        endpoints.bind(no_transmit_timeout),
        endpoints.bind(frames_are_received, frames=len(SOME)),
    ]
    echo = crosses_both_ways(net, endpoints, cable, SOME, contracts)
    for contract in contracts:
        assert contract(echo)


@pytest.mark.slow(10)
@pytest.mark.fault("dm9000:tx_truncated")
def test_frames_of_every_length_pass_rx_and_tx_unchanged(net, endpoints, cable, measure):
    echo = crosses_both_ways(net, endpoints, cable, range(60, 1515))
    seconds = (echo.ended_ns - echo.started_ns) / 1e9
    measure("every length there and back", sum(range(60, 1515)) * 16 / seconds / 1e6, "Mbit/s")


@pytest.mark.fault("cable:truncate")
def test_vlan_tagged_frames_of_1518_bytes_pass_rx_and_tx(net, endpoints, cable):
    tags = [0x0001, 0x0FFE, 0x6007]
    with net.echo(count=len(tags), timeout_s=3.0) as echo:
        for seed, tag in enumerate(tags):
            cable.send(endpoints.to_board(1518, seed, vlan=tag))
        cable.wait_for(len(tags), timeout_s=3.0)
    assert echo.value["frames"] == [
        endpoints.to_board(1518, seed, vlan=tag) for seed, tag in enumerate(tags)
    ]
    assert cable.received == [
        endpoints.from_board(1518, seed, vlan=tag) for seed, tag in enumerate(tags)
    ]


@pytest.mark.fault("dm9000:corrupt_tx_byte")
def test_a_vlan_interface_receives_and_sends_its_own_tag_only(net, kernel, endpoints, cable):
    tagged, other = (endpoints.to_board(1518, vlan, vlan) for vlan in (7, 8))
    answer = kernel.load_module(name="8021q")
    loaded = not answer.errno and answer.value  # neither there already nor built in
    _ = net.add_vlan(vlan=7, name="bench7").value
    try:
        with net.capture(
            interface="bench7", count=9, ethertype=ETH_P_TEST, until=tagged[18:40]
        ) as received:
            cable.send(other)
            cable.send(tagged)
        cable.clear()
        assert (
            net.send_numbered(
                interface="bench7", destination=endpoints.partner_mac, lengths=[1514]
            ).value
            == 1514
        )
        sent = cable.wait_for(lambda frame: frame[16:18] == b"\x88\xb5", timeout_s=2.0)
    finally:
        _ = net.remove_link(name="bench7").value
        if loaded:
            _ = kernel.unload_module(name="8021q", timeout_s=1.0).errno
    assert received.value["frames"] == [tagged[:12] + tagged[16:]]
    plain = endpoints.from_board(1514)
    assert sent == [plain[:12] + b"\x81\x00\x00\x07" + plain[12:]]


@pytest.mark.fault("dm9000:tx_padding_lost")
def test_short_tx_frames_are_padded_with_zeros(net, endpoints, cable):
    whole = ethernet(endpoints.partner_mac, endpoints.mac, ETH_P_TEST, b"\xa5" * 46)
    assert net.send_frames(frames=[whole] * 3).value == 180
    cable.wait_for(3, timeout_s=2.0)
    cable.clear()
    lengths = list(range(14, 60, 5))
    assert net.send_frames(frames=[whole[:length] for length in lengths]).value == sum(lengths)
    assert cable.wait_for(len(lengths), timeout_s=2.0) == [
        whole[:length].ljust(60, b"\0") for length in lengths
    ]


@pytest.mark.fault(
    "dm9000:swallow_tx_completion", "dm9000:drop_tx", "dm9000:duplicate_tx", "cable:reorder"
)
def test_a_tx_burst_that_stops_the_queue_is_sent_whole_and_in_order(net, endpoints, cable, measure):
    lengths = [60 + 11 * number for number in range(100)]
    contracts = [
        endpoints.bind(every_frame_is_taken),
        endpoints.bind(no_transmit_timeout),
        endpoints.bind(frames_are_given, frames=len(lengths)),
    ]
    sending = net.tracing(*contracts).send_and_drain(
        destination=endpoints.partner_mac, lengths=lengths, timeout_s=4.0
    )
    assert sending.value["sent"] == len(lengths)
    assert cable.received == [
        endpoints.from_board(length, seed) for seed, length in enumerate(lengths)
    ]
    measure("sending", sum(lengths) * 8 / sending.value["seconds"] / 1e6, "Mbit/s")
    for contract in contracts:
        assert contract(sending)


@pytest.mark.fault(
    "dm9000:drop_rx",
    "dm9000:wrong_pointer_wrap",
    "dm9000:duplicate_rx",
    "dm9000:stale_ready_byte",
    "cable:reorder",
    "cable:duplicate",
)
def test_rx_bursts_that_fill_the_buffer_arrive_whole_and_in_order(net, endpoints, cable):
    frames = [endpoints.to_board(1514 - number, seed=number) for number in range(32)]
    claim = endpoints.bind(frames_are_received, frames=len(frames))
    with net.tracing(claim).echo(count=len(frames), timeout_s=5.0) as echo:
        for first in range(0, len(frames), 8):
            for frame in frames[first : first + 8]:
                cable.send(frame)
            cable.wait_for(first + 8, timeout_s=5.0)
    assert echo.value["frames"] == frames
    assert claim(echo)
