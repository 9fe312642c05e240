"""Messages of several transfers: chip select, delays, speeds, modes."""
from __future__ import annotations

import pytest

from drivers.checks.spi_contracts import (
    chip_select_frames_each_message,
    every_message_completes,
    sent_data,
)


@pytest.mark.fault(
    "s3c64xx_spi:select_dropped", "s3c64xx_spi:bus_select_lost", "spi_loopback:byte_late"
)
def test_the_transfers_of_a_message_share_one_chip_select_assertion(spi, plug, ours):
    complete = ours(every_message_completes, messages=1)
    selected = ours(chip_select_frames_each_message, frames=1)
    sent = ours(sent_data, sent=[b"ab", b"cde", b""])
    answer = spi.tracing(complete, selected, sent).message(
        transfers=[{"data": b"ab"}, {"data": b"cde", "receive": False}, {"length": 2}]
    )
    assert answer.value == [b"ab", None, b"\0\0"]
    assert plug.wire == [("frame", b"abcde\0\0")]
    assert complete(answer)
    assert selected(answer)
    assert sent(answer)


@pytest.mark.fault(
    "s3c64xx_spi:bus_select_stuck", "spi_loopback:repeated_frame", "s3c64xx_spi:bus_select_lost"
)
def test_cs_change_toggles_the_chip_select_between_transfers(spi, plug, ours):
    selected = ours(chip_select_frames_each_message, frames=3)
    answer = spi.tracing(selected).message(
        transfers=[{"data": b"a", "cs_change": 1}, {"data": b"b", "cs_change": 1}, {"data": b"cd"}]
    )
    assert answer.value == [b"a", b"b", b"cd"]
    assert plug.wire == [("frame", b"a"), ("frame", b"b"), ("frame", b"cd")]
    assert selected(answer)


@pytest.mark.fault("s3c64xx_spi:select_dropped", "s3c64xx_spi:select_latch_dead")
def test_cs_change_on_the_last_transfer_keeps_the_chip_select_asserted(spi, plug):
    assert spi.message(transfers=[{"data": b"ab", "cs_change": 1}]).value == [b"ab"]
    assert plug.wire == []
    assert spi.message(transfers=[{"data": b"cd"}]).value == [b"cd"]
    assert plug.wire == [("frame", b"abcd")]


@pytest.mark.fault("spi_loopback:first_byte_lost", "s3c64xx_spi:bus_corrupt_mosi")
def test_each_of_many_transfers_in_a_message_receives_its_own_data(spi, plug):
    parts = [bytes([number] * (number % 7 + 1)) for number in range(50)]
    assert spi.message(transfers=[{"data": part} for part in parts]).value == parts
    assert plug.wire == [("frame", b"".join(parts))]


@pytest.mark.fault("s3c64xx_spi:bus_select_stuck")
def test_delay_usecs_delays_the_next_transfer(spi, plug, measure):
    answer = spi.message(
        transfers=[{"data": b"a", "delay_usecs": 20_000, "cs_change": 1}, {"data": b"b"}]
    )
    assert answer.value == [b"a", b"b"]
    frames = plug.frames
    assert [frame.mosi for frame in frames] == [b"a", b"b"]
    pause = frames[1].selected_ns - frames[0].selected_ns
    measure("from frame to frame", pause / 1e6, "ms", at_least=19.0)


@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:rx_last_lost")
def test_word_delay_usecs_is_accepted_and_changes_no_data(spi):
    assert spi.message(transfers=[{"data": b"words", "word_delay_usecs": 10}]).value == [b"words"]


@pytest.mark.fault("s3c64xx_spi:prescaler_stuck", "spi_loopback:fast_clock_errors")
def test_each_transfer_runs_at_its_own_speed_hz(spi, plug):
    speeds = [12_000_000, 6_000_000, 4_000_000, 1_000_000, 500_000, 12_000_000]
    answer = spi.message(transfers=[{"data": b"12345678", "speed_hz": speed} for speed in speeds])
    assert answer.value == [b"12345678"] * 6
    assert [clocking.speed_hz for clocking in plug.frames[0].clockings] == speeds


@pytest.mark.fault("s3c64xx_spi:prescaler_stuck")
def test_a_speed_hz_between_two_dividers_is_rounded_down(spi, plug):
    for speed in (10_000_000, 5_000_000, 700_000):
        plug.clear()
        _ = spi.message(transfers=[{"data": b"a", "speed_hz": speed}]).value
        assert plug.frames[0].clockings[0].speed_hz <= speed


@pytest.mark.fault("s3c64xx_spi:prescaler_stuck")
def test_a_speed_hz_below_the_minimum_is_rejected_or_not_exceeded(spi, plug):
    answer = spi.message(transfers=[{"data": b"a", "speed_hz": 20_000}])
    assert answer.errno or plug.frames[0].clockings[0].speed_hz <= 20_000


@pytest.mark.fault("s3c64xx_spi:clock_dead")
def test_a_speed_hz_above_the_maximum_is_rejected_or_capped(spi, plug):
    answer = spi.message(transfers=[{"data": b"a", "speed_hz": 100_000_000}])
    assert answer.errno or plug.frames[0].clockings[0].speed_hz == 12_000_000


@pytest.mark.fault("s3c64xx_spi:polarity_stuck", "s3c64xx_spi:phase_stuck")
def test_a_mode_change_with_a_speed_change_reaches_the_wire(spi, plug):
    for mode, speed in ((1, 1_000_000), (2, 500_000), (3, 1_000_000), (0, 500_000)):
        assert spi.transfer(data=b"mode", mode=mode, speed_hz=speed).value == b"mode"
    assert [frame.clockings[0].mode for frame in plug.frames] == [1, 2, 3, 0]


@pytest.mark.fault("s3c64xx_spi:polarity_stuck", "s3c64xx_spi:phase_stuck")
def test_a_mode_change_alone_reaches_the_wire(spi, plug):
    for mode in (0, 1, 2, 3):
        _ = spi.transfer(data=b"mode", mode=mode, speed_hz=1_000_000).value
    assert [frame.clockings[0].mode for frame in plug.frames] == [0, 1, 2, 3]
