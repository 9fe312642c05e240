"""Images: the whole sensor, parts of it, test patterns.

Dead pixels, noise and contrast for acceptance.
"""
from __future__ import annotations

import hashlib

import pytest

from drivers.fingerprint.checks.contracts import every_message_completes
from drivers.fingerprint.checks.image import differences, statistics

PART = [64, 32, 8, 4]  # row, rows, group, groups: 32 x 32 pixels in the middle
HIGH, LOW = 0xC0, 0x40


def board_of(first, second, rows, columns):
    """A checkerboard whose first row starts with `first`."""
    lines = [bytes((first, second)) * (columns // 2), bytes((second, first)) * (columns // 2)]
    return b"".join(lines[row % 2] for row in range(rows))


@pytest.mark.fault(
    "fpc1020:pixel_lost",
    "fpc1020:fifo_underflow",
    "fpc1020:bit_errors",
    "fpc1020:dead_column",
    "s3c64xx_spi:rx_last_lost",
    "s3c64xx_spi:rx_bit_flip",
    "fpc1020:capture_never_done",
)
def test_the_whole_image_is_the_finger_on_the_sensor(
    fingerprint, fpc1020_chip, finger, keep_picture, measure
):
    finger(42)
    image = fingerprint.timeout(60.0).capture().value
    assert (image["rows"], image["columns"]) == (192, 192)
    keep_picture(image["pixels"], 192, 192, "finger 42")
    assert differences(image["pixels"], fpc1020_chip.image(42)) == 0
    measure("capture and read-out", image["seconds"], "s")
    assert fpc1020_chip.violations == []


@pytest.mark.fault(
    "fpc1020:crop_ignored",
    "fpc1020:image_stale",
    "fpc1020:noisy",
    "s3c64xx_spi:bus_corrupt_miso",
    "s3c64xx_spi:width_ignored",
)
def test_a_cropped_image_is_that_part_of_the_finger(fingerprint, fpc1020_chip, finger):
    for seed in (5, 6):
        finger(seed)
        image = fingerprint.capture(crop=PART).value
        whole = fpc1020_chip.image(seed)
        assert image["pixels"] == b"".join(
            whole[row * 192 + 64 : row * 192 + 96] for row in range(64, 96)
        )


@pytest.mark.fault("fpc1020:low_contrast", "fpc1020:finger_never", "fpc1020:fifo_underflow")
def test_the_contrast_between_ridges_and_valleys_is_sufficient(
    fingerprint, fpc1020_chip, finger, measure
):
    finger(9)
    assert fingerprint.zones().value
    image = fingerprint.capture(crop=PART).value
    measured = statistics(image["pixels"], 32, 32)
    measure(
        "contrast", measured.contrast, "levels", at_least=fingerprint.limits.get("contrast", 100)
    )


@pytest.mark.fault("fpc1020:dead_pixels", "fpc1020:dead_column", "fpc1020:noisy")
def test_an_empty_sensor_has_no_dead_pixels_and_little_noise(
    fingerprint, finger, keep_picture, measure
):
    finger(None)
    image = fingerprint.capture(crop=[0, 96, 0, 24]).value
    keep_picture(image["pixels"], 96, 192, "empty")
    measured = statistics(image["pixels"], 96, 192)
    measure("dead pixels", measured.dead, "", limit=fingerprint.limits.get("dead_pixels", 4))
    assert measured.dead_columns == []
    assert measured.dead_rows == []
    measure("noise", measured.noise, "levels", limit=fingerprint.limits.get("noise", 6.0))


@pytest.mark.fault(
    "fpc1020:pattern_inverted",
    "fpc1020:pattern_ignored",
    "s3c64xx_spi:bus_mosi_low",
    "fpc1020:registers_lost",
)
def test_the_checkerboard_pattern_comes_normal_and_inverted(fingerprint, fpc1020_chip):
    normal = fingerprint.capture(crop=[0, 16, 0, 2], pattern="checkerboard").value["pixels"]
    inverted = fingerprint.capture(crop=[0, 16, 0, 2], pattern="inverted").value["pixels"]
    assert normal == board_of(HIGH, LOW, 16, 16)
    assert inverted == board_of(LOW, HIGH, 16, 16)


@pytest.mark.fault("fpc1020:pattern_inverted", "fpc1020:pattern_ignored")
def test_the_test_patterns_set_every_pixel_and_none(fingerprint):
    assert (
        fingerprint.capture(crop=[0, 8, 0, 2], pattern="ones").value["pixels"]
        == bytes([HIGH]) * 128
    )
    assert (
        fingerprint.capture(crop=[0, 8, 0, 2], pattern="zeros").value["pixels"]
        == bytes([LOW]) * 128
    )


@pytest.mark.fault("fpc1020:bit_errors", "fpc1020:noisy", "fpc1020:pixel_lost")
def test_twenty_captures_in_a_row_are_identical(fingerprint, fpc1020_chip, finger):
    finger(11)
    repeated = fingerprint.repeat_capture(count=20, crop=[0, 8, 0, 4]).value
    whole = fpc1020_chip.image(11)
    expected = b"".join(whole[row * 192 : row * 192 + 32] for row in range(8))
    assert repeated["other"] == 0
    assert repeated["first"] == hashlib.sha256(expected).hexdigest()


@pytest.mark.slow(4)
@pytest.mark.fault("fpc1020:bit_errors")
def test_two_hundred_captures_in_a_row_are_identical(fingerprint, finger):
    finger(12)
    assert (
        fingerprint.timeout(120.0).repeat_capture(count=200, crop=[0, 8, 0, 4]).value["other"] == 0
    )


@pytest.mark.fault("fpc1020:reset_ignored", "fpc1020:image_stale")
def test_a_reset_during_a_capture_aborts_it(fingerprint, fpc1020_chip, finger, slow_capture):
    finger(21)
    assert fingerprint.capture(crop=[0, 8, 0, 2]).value["rows"] == 8
    finger(22)
    slow_capture(0.15)
    after_reset = fingerprint.reset_in_capture(crop=[0, 8, 0, 2]).value
    assert after_reset["reset"]["first"] == 0xFF
    assert after_reset["status"] == 0x1E
    whole = fpc1020_chip.image(22)
    assert after_reset["pixels"] == b"".join(whole[row * 192 : row * 192 + 16] for row in range(8))


@pytest.mark.fault("fpc1020:fifo_error_silent", "fpc1020:interrupt_lost")
def test_reading_beyond_the_capture_is_a_fifo_underflow(fingerprint):
    assert fingerprint.underflow(crop=[0, 4, 0, 1], more=8).value == {
        "interrupt": 0x04,
        "error": 0x01,
    }


@pytest.mark.fault("fpc1020:capture_never_done")
def test_a_capture_with_a_lost_interrupt_ends_in_a_timeout(fingerprint, fpc1020_chip):
    with fpc1020_chip.faults.switched_on("interrupt_lost"):
        answer = fingerprint.capture(crop=[0, 4, 0, 1])
        assert answer.error["type"] == "TimeoutError"
    assert fingerprint.capture(crop=[0, 4, 0, 1]).value["rows"] == 4


@pytest.mark.fault("fpc1020:capture_never_done", "s3c64xx_spi:bus_miso_high")
def test_every_spi_message_of_a_capture_completes(fingerprint, finger):
    finger(30)
    wiring = fingerprint.device.arguments["wiring"]
    complete = every_message_completes.bind(bus=wiring["bus"], device=wiring["device"], messages=9)
    answer = fingerprint.tracing(complete).capture(crop=[0, 8, 0, 1])
    assert len(answer.value["pixels"]) == 64
    assert complete(answer)
