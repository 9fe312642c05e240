"""Transfers through a loop-back: lengths, word sizes, directions."""
from __future__ import annotations

import pytest

from drivers.checks.spi_contracts import (
    chip_select_frames_each_message,
    controller_is_busy_for_each_message,
    every_message_completes,
    every_transfer_stops,
    received_data,
    sent_data,
)

SHORT = [*range(1, 41), 63, 64, 65]
AROUND_THE_FIFO = [
    127,
    128,
    129,
    253,
    254,
    255,
    256,
    257,
    258,
    509,
    510,
    511,
    512,
    765,
    1020,
    1021,
    2047,
    4095,
    4096,
]
# See in_time: the twin may miss the driver's timeout.
LATE = "I/O Error|SPI transfer failed: -110|failed to transfer one message|noqueue transfer failed"
TEXT = b"\x00\x01\x7f\x80\xfe\xff\xa5\x5a"


@pytest.mark.fault(
    "spi_loopback:open_circuit",
    "spi_loopback:shorted",
    "spi_loopback:inverted",
    "spi_loopback:byte_late",
    "s3c64xx_spi:rx_bit_flip",
    "s3c64xx_spi:bus_corrupt_miso",
    "s3c64xx_spi:bus_corrupt_mosi",
    "s3c64xx_spi:bus_clock_glitch",
    "s3c64xx_spi:select_latch_dead",
    "spi_loopback:bit7_stuck_high",
    "spi_loopback:bit0_stuck_low",
)
def test_data_is_sent_and_received_full_duplex(spi, plug, ours):
    sent = ours(sent_data, sent=[TEXT])
    received = ours(received_data, received=[TEXT])
    complete = ours(every_message_completes, messages=1)
    ends = ours(every_transfer_stops)
    selected = ours(chip_select_frames_each_message, frames=1)
    busy = ours(controller_is_busy_for_each_message)
    answer = spi.tracing(sent, received, complete, ends, selected, busy).message(
        transfers=[{"data": TEXT}]
    )
    assert answer.value == [TEXT]
    assert plug.wire == [("frame", TEXT)]
    assert sent(answer)
    assert received(answer)
    assert complete(answer)
    assert ends(answer)
    assert selected(answer)
    assert busy(answer)


@pytest.mark.expects(splat=LATE)
@pytest.mark.fault(
    "s3c64xx_spi:tx_fifo_stuck",
    "spi_loopback:bits_reversed",
    "spi_loopback:bit_late",
    "s3c64xx_spi:rx_level_low",
)
def test_each_short_length_comes_back(in_time):
    assert in_time(sizes=SHORT) == []


@pytest.mark.expects(splat=LATE)
@pytest.mark.fault(
    "spi_loopback:long_frame_lost",
    "s3c64xx_spi:irq_lost",
    "s3c64xx_spi:select_dropped",
    "s3c64xx_spi:rx_last_lost",
    "s3c64xx_spi:packet_count_short",
    "s3c64xx_spi:bus_delay",
)
def test_each_length_around_the_fifos_depth_comes_back_in_one_frame(in_time, plug):
    assert in_time(sizes=AROUND_THE_FIFO) == []
    assert [len(frame.mosi) for frame in plug.frames] == AROUND_THE_FIFO


@pytest.mark.expects(splat=LATE)
@pytest.mark.slow(5)
@pytest.mark.fault("spi_loopback:long_frame_lost")
def test_each_length_up_to_bufsiz_comes_back(spi, in_time):
    step = int(spi.limits.get("length_step", 1))
    sizes = list(range(1, 4097, step))
    for at in range(0, len(sizes), 64):
        assert in_time(sizes=sizes[at : at + 64]) == []


@pytest.mark.fault(
    "s3c64xx_spi:byte_swap_stuck", "s3c64xx_spi:width_ignored", "spi_loopback:bytes_swapped"
)
def test_words_of_16_and_32_bits_go_out_most_significant_byte_first(spi, plug):
    for bits in (16, 32):
        assert spi.transfer(data=b"abcdefgh", bits_per_word=bits).value == b"abcdefgh"
    assert plug.wire == [("frame", b"badcfehg"), ("frame", b"dcbahgfe")]
    assert [frame.clockings[0].bits for frame in plug.frames] == [16, 32]


@pytest.mark.expects(splat=LATE)
@pytest.mark.fault("s3c64xx_spi:byte_swap_stuck", "s3c64xx_spi:width_ignored")
def test_words_of_16_and_32_bits_fill_the_fifo(in_time, plug):
    assert in_time(sizes=[2, 34, 128, 250, 254], bits_per_word=16) == []
    assert in_time(sizes=[4, 36, 128, 248, 252], bits_per_word=32) == []
    assert {frame.clockings[0].bits for frame in plug.frames} == {16, 32}
    assert plug.frames[0].mosi != plug.frames[0].mosi[::-1]


@pytest.mark.expects(splat="I/O Error|RX overrun")
@pytest.mark.fault("spi_loopback:inverted")
def test_words_of_16_bits_survive_a_transfer_longer_than_the_fifo(spi):
    assert spi.lengths(sizes=[256, 512], bits_per_word=16).value == []


@pytest.mark.fault(
    "s3c64xx_spi:bus_mosi_low", "s3c64xx_spi:bus_select_lost", "s3c64xx_spi:bus_select_stuck"
)
def test_write_only_sends(spi, plug):
    assert spi.write(data=TEXT).value == 8
    assert plug.wire == [("frame", TEXT)]
    assert plug.frames[0].clockings[0].driven


@pytest.mark.fault("s3c64xx_spi:bus_miso_high", "spi_loopback:inverted", "s3c64xx_spi:rx_bit_flip")
def test_read_receives_with_mosi_undriven(spi, plug):
    assert spi.read(length=5).value == bytes(5)
    assert [len(frame.mosi) for frame in plug.frames] == [5]
    assert not plug.frames[0].clockings[0].driven


@pytest.mark.fault(
    "spi_loopback:first_byte_lost", "s3c64xx_spi:rx_word_stale", "s3c64xx_spi:bus_miso_low"
)
def test_xfer_xfer2_xfer3_and_readbytes_return_the_same(spi):
    assert spi.xfer_variants(data=TEXT).value == {
        "xfer": TEXT,
        "xfer2": TEXT,
        "xfer3": TEXT,
        "readbytes": bytes(8),
    }


@pytest.mark.fault(
    "s3c64xx_spi:rx_kept_after_reset", "spi_loopback:repeated_frame", "s3c64xx_spi:rx_word_stale"
)
def test_no_data_of_a_transfer_is_left_in_the_next(spi):
    for data in (b"\x11" * 40, b"\x22" * 3, b"\x33" * 300, b"\x44"):
        assert spi.transfer(data=data).value == data


@pytest.mark.fault("s3c64xx_spi:select_neighbour", "s3c64xx_spi:bus_select_stuck")
def test_concurrent_transfers_on_two_chip_selects_do_not_interfere(spi, plug, fpc1020_chip):
    other = spi.device.arguments["other_device"]
    shares = spi.concurrent_transfers(
        other_device=other, sizes={"own": 24, "other": 2}, count=20, other_bits=0x18
    ).value
    assert shares["own"]["bad"] == 0
    assert [frame.mosi for frame in plug.frames] == [bytes(range(24))] * 20
    assert [frame.mosi for frame in fpc1020_chip.frames] == [b"\x18\x18"] * 20


@pytest.mark.fault("s3c64xx_spi:irq_spurious", "s3c64xx_spi:error_reported")
def test_long_bursts_take_one_interrupt_each_and_short_ones_are_polled(spi, s3c64xx_spi_chip):
    name = spi.device.arguments["interrupt"]
    before = spi.interrupts(name=name).value
    assert spi.lengths(sizes=[1, 8, 32]).value == []
    assert spi.interrupts(name=name).value - before == 0
    assert spi.lengths(sizes=[33, 100, 256]).value == []
    # A level that falls late on its way through the bus may be seen once more.
    assert 4 <= spi.interrupts(name=name).value - before <= 8
