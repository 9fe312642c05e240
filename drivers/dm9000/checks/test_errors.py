"""Bad frames, a full buffer, lost completions: counted, and survived."""
from __future__ import annotations

import time

import pytest

from drivers.checks.endpoints import BOARD_IP
from drivers.checks.net_contracts import frames_are_received
from drivers.dm9000.checks.contracts import every_interrupt_ends, no_timeout
from drivers.uapi.frames import BROADCAST, ETH_P_TEST, numbered

FOE, CE, RF = 0x01, 0x02, 0x80  # bits of RSR
COUNTERS = {FOE: "rx_fifo_errors", CE: "rx_crc_errors", RF: "rx_length_errors"}


def goes_on(net, endpoints, cable, disturb, received=1, timeout_s=2.0):
    """Call `disturb`, then send a good frame; the frames heard up to it, and
    what the statistics gained.
    """
    before = net.statistics().value
    good = endpoints.to_board(333, seed=99)
    claim = endpoints.bind(frames_are_received, frames=received)
    exerciser = net.tracing(claim, every_interrupt_ends, no_timeout)
    with exerciser.capture(
        count=50, timeout_s=timeout_s, ethertype=ETH_P_TEST, until=good
    ) as received:
        disturb()
        cable.send(good)
    after = net.statistics().value
    frames = received.value["frames"]
    assert frames and frames[-1] == good, "the good frame after the bad one did not come"
    assert claim(received) and every_interrupt_ends(received) and no_timeout(received)
    return frames[:-1], {name: after[name] - before[name] for name in after}


def empties(chip, timeout_s):
    """Wait until the driver has read everything out of the chip's buffer, or the time is over."""
    deadline = time.monotonic() + timeout_s
    while chip.sram.rx_read != chip.sram.rx_write and time.monotonic() < deadline:
        time.sleep(0.002)


@pytest.mark.fault("dm9000:bad_fcs_marked_good")
def test_a_frame_with_a_bad_fcs_is_not_received(net, dm9000, endpoints, cable, dm9000_chip):
    bad = endpoints.to_board(200)
    others, gained = goes_on(
        net, endpoints, cable, lambda: dm9000_chip.receive(bad, crc_error=True)
    )
    assert (others, gained["rx_packets"]) == ([], 1)
    assert ("rx_dropped", "error", bad) in dm9000_chip.wire


@pytest.mark.parametrize("status", [FOE, CE, RF, CE | RF])
@pytest.mark.fault("dm9000:drop_rx")
def test_rx_status_errors_drop_the_frame_and_are_counted(
    net, dm9000, endpoints, cable, dm9000_chip, status
):
    bad = endpoints.to_board(61)
    others, gained = goes_on(net, endpoints, cable, lambda: dm9000_chip.receive(bad, status=status))
    expected = {name: int(bool(status & bit)) for bit, name in COUNTERS.items()}
    assert {name: gained[name] for name in expected} == expected
    assert (others, gained["rx_packets"]) == ([], 1)


@pytest.mark.fault("dm9000:drop_rx")
def test_rx_status_errors_count_as_rx_errors(net, dm9000, endpoints, cable, dm9000_chip):
    """rx_errors "must include events counted by rx_length_errors, rx_crc_errors,
    rx_frame_errors" (if_link.h).
    """
    _, gained = goes_on(
        net, endpoints, cable, lambda: dm9000_chip.receive(endpoints.to_board(61), status=CE)
    )
    assert (gained["rx_crc_errors"], gained["rx_errors"]) == (1, 1)


@pytest.mark.fault("dm9000:rx_length_out_of_step")
def test_runts_are_dropped_and_the_next_frame_is_whole(net, dm9000, endpoints, cable, dm9000_chip):
    def runts():
        for length in (14, 30, 59):
            dm9000_chip.receive(endpoints.to_board(60)[:length], status=0)

    others, gained = goes_on(net, endpoints, cable, runts)
    assert (others, gained["rx_packets"]) == ([], 1)


@pytest.mark.parametrize("length", [64, 1519, 1536, 2000])
@pytest.mark.fault("dm9000:rx_length_out_of_step")
def test_a_bad_rx_length_does_not_corrupt_the_next_frame(
    net, dm9000, endpoints, cable, dm9000_chip, length
):
    strange = endpoints.to_board(1514)
    others, _ = goes_on(
        net,
        endpoints,
        cable,
        lambda: dm9000_chip.receive(strange, status=0, length=length),
        received=2,
    )
    assert [len(frame) for frame in others] == [length - 4]
    assert others[0][:60] == strange[:60]


@pytest.mark.fault("dm9000:accept_all")
def test_an_oversized_frame_is_dropped_by_the_chip(net, dm9000, endpoints, cable, dm9000_chip):
    others, gained = goes_on(net, endpoints, cable, lambda: cable.send(endpoints.to_board(1700)))
    assert (others, gained["rx_packets"], dm9000_chip.rx_long) == ([], 1, 1)
    stranger = numbered("02:00:00:00:00:77", endpoints.partner_mac, 60)
    others, gained = goes_on(net, endpoints, cable, lambda: cable.send(stranger))
    assert (others, gained["rx_packets"]) == ([], 1)


@pytest.mark.fault("dm9000:overflow_stuck", "dm9000:overflow_overwrites")
def test_rx_continues_after_an_rx_buffer_overflow(
    net, dm9000, endpoints, cable, dm9000_chip, measure
):
    frames = [endpoints.to_board(1514, seed) for seed in range(40)]
    last = numbered(BROADCAST, endpoints.partner_mac, 60, 7)
    with net.capture(count=99, timeout_s=8.0, ethertype=ETH_P_TEST, until=last) as received:
        for frame in frames:
            cable.send(frame)
        lost = dm9000_chip.rx_overflows
        empties(dm9000_chip, timeout_s=5.0)
        cable.send(last)
    measure("frames lost by overflow", lost)
    assert lost > 0, "40 frames at once did not overflow the buffer: nothing was tried"
    assert last in received.value["frames"], "after the overflow nothing was received any more"
    *arrived, _ = received.value["frames"]
    assert (
        arrived == [frame for frame in frames if frame in arrived] and len(arrived) >= 40 - lost - 1
    )
    again, _ = goes_on(
        net, endpoints, cable, lambda: cable.send(endpoints.to_board(1514)), received=2
    )
    assert again == [endpoints.to_board(1514)]


@pytest.mark.expects(splat="status check fail")
@pytest.mark.fault("dm9000:ready_byte_error")
def test_rx_recovers_from_a_bad_ready_byte(net, dm9000, endpoints, cable, dm9000_chip):
    """dm9000_rx answers a bad ready byte with RCR = 0; something must switch reception on again."""
    dm9000_chip.faults.set("ready_byte_error", limit=1)
    cable.send(endpoints.to_board(100))
    dm9000_chip.faults.set("ready_byte_error", False)
    try:
        with net.capture(count=1, timeout_s=1.5, ethertype=ETH_P_TEST) as received:
            for seed in range(3):
                cable.send(endpoints.to_board(100, seed))
    # The frame that the driver did not take is still in the chip: the next check must not meet it
    finally:
        _ = net.set_link(up=False).value
        _ = net.set_link(up=True).value
    assert received.value["frames"], "nothing was received any more"


@pytest.mark.fault("dm9000:stick_interrupt")
def test_an_interrupt_is_deasserted_once_handled(net, dm9000, cable):
    """A link that comes takes one or two; a line that stays up takes thousands."""
    opening = net.tracing(every_interrupt_ends).set_up_link(
        address=BOARD_IP, partner=cable.partner.ip
    )
    _ = net.restore_link(state=opening.value).value
    assert len(opening.trace["dm9000_irq"]) <= 10
