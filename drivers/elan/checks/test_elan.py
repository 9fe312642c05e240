"""The ELAN sensor: its identity, registers, image."""
from __future__ import annotations

import pytest


@pytest.fixture
def finger(elan_chip):
    """Put a finger on the sensor, by its seed, or lift it (None); lifted at the end."""
    elan_chip.finger(None)
    yield elan_chip.finger
    elan_chip.finger(None)


@pytest.mark.fault(
    "elan:absent", "elan:wrong_version", "elan:wrong_size", "s3c64xx_spi:bus_miso_low"
)
def test_version_and_size_are_those_of_the_boards_sensor(elan):
    assert elan.identify().value == {"version": 0x0E, "height": 80, "width": 80}


@pytest.mark.fault(
    "elan:protection_stuck",
    "elan:register_lost",
    "elan:reset_ignored",
    "s3c64xx_spi:bus_corrupt_mosi",
)
def test_an_unprotected_register_keeps_what_is_written_until_a_reset(elan, elan_chip):
    assert elan.registers(register=5, value=0x21).value == {
        "first": 0x6F,
        "open": 0x5A,
        "written": 0x21,
        "again": 0x6F,
    }
    assert elan_chip.violations == []


@pytest.mark.fault("elan:never_ready", "elan:always_ready")
def test_a_line_is_ready_after_a_capture_and_not_before(elan):
    assert elan.status().value == {"reset": False, "captured": True}


@pytest.mark.fault(
    "elan:finger_never",
    "elan:line_repeated",
    "elan:line_shifted",
    "elan:bytes_swapped",
    "elan:not_calibrated",
    "s3c64xx_spi:rx_bit_flip",
)
def test_the_image_is_the_finger_on_the_sensor(elan, elan_chip, finger):
    finger(17)
    image = elan.capture(lines=16).value
    assert image["width"] == 80
    assert image["pixels"] == elan_chip.picture(17)[: 16 * 80]


@pytest.mark.fault("elan:gain_ignored")
def test_gain_makes_the_image_brighter(elan, elan_chip, finger):
    finger(18)
    for gain in (0x30, 0x6F):
        assert elan.capture(lines=2, gain=gain).value["pixels"] == elan_chip.picture(18, gain)[:160]
