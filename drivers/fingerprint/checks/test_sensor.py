"""HWID, reset, registers, sleep, interrupts."""
from __future__ import annotations

import pytest


@pytest.mark.fault(
    "fpc1020:reset_ignored",
    "fpc1020:reset_interrupt_missing",
    "fpc1020:interrupt_not_cleared",
    "fpc1020:absent",
    "fpc1020:interrupt_stuck",
)
def test_a_reset_raises_the_interrupt_and_reading_clears_it(fingerprint, fpc1020_chip, measure):
    result = fingerprint.reset().value
    assert result["irq_high"]
    assert result["first"] == 0xFF
    assert result["second"] == 0x00
    assert result["irq_low"]
    assert result["status"] == 0x1E
    fell, rose = fpc1020_chip.resets[-1]
    measure("reset pulse", (rose - fell) / 1e6, "ms", at_least=1.0)


@pytest.mark.fault("fpc1020:wrong_hwid", "s3c64xx_spi:bus_miso_low", "s3c64xx_spi:bus_select_lost")
def test_the_hwid_is_that_of_the_boards_sensor(fingerprint):
    identity = fingerprint.identify().value
    assert identity == {"hwid": 0x020A, "part": "FPC1020A", "rows": 192, "columns": 192}


@pytest.mark.fault("fpc1020:absent", "fpc1020:wrong_hwid")
def test_the_sensor_answers(fingerprint):
    result = fingerprint.probe().value
    assert result["present"]
    assert result["hwid"] == 0x020A


@pytest.mark.fault("s3c64xx_spi:bus_miso_low")
def test_an_absent_sensor_is_detected(fingerprint, fpc1020_chip):
    with fpc1020_chip.faults.switched_on("absent"):
        result = fingerprint.probe().value
        assert result == {"present": False, "hwid": 0xFFFF, "bytes": b"\xff" * 5}
        assert fingerprint.identify().error["type"] == "TimeoutError"
    assert fingerprint.probe().value["present"]


@pytest.mark.fault(
    "fpc1020:status_wrong",
    "fpc1020:capture_never_done",
    "fpc1020:interrupt_not_cleared",
    "fpc1020:wrong_hwid",
)
def test_the_self_test_passes(fingerprint):
    assert fingerprint.self_test().value == {
        "known": True,
        "irq_high": True,
        "irq_low": True,
        "status": True,
        "ok": True,
    }


@pytest.mark.fault(
    "fpc1020:registers_lost", "s3c64xx_spi:bus_corrupt_mosi", "s3c64xx_spi:bus_clock_glitch"
)
def test_a_register_keeps_what_is_written_until_a_reset(fingerprint):
    assert fingerprint.register(opcode=0x98, value=bytes(range(10))).value == {
        "was": bytes(10),
        "now": bytes(range(10)),
    }
    assert fingerprint.register(opcode=0x8C, value=b"\x04").value == {
        "was": b"\x12",
        "now": b"\x04",
    }
    result = fingerprint.soft_reset().value
    assert result == {"before": b"\xaa\x55", "after": b"\x00\x00", "status": 0x1E}


@pytest.mark.fault("fpc1020:sleep_refused", "fpc1020:status_wrong", "fpc1020:wake_lost")
def test_the_sensor_enters_and_leaves_sleep_and_deep_sleep(fingerprint, fpc1020_chip):
    for deep in (False, True):
        assert fingerprint.sleep(deep=deep).value == {"awake": 0x0E, "asleep": 0x00, "again": 0x0E}
    assert fpc1020_chip.violations == []


@pytest.mark.fault("fpc1020:interrupt_spurious", "fpc1020:interrupt_lost")
def test_there_is_no_spurious_interrupt(fingerprint, finger):
    finger(1)
    result = fingerprint.repeat_capture(count=5, crop=[0, 8, 0, 1]).value
    assert result["edges_left"] == 0
    assert fingerprint.idle_edges(seconds=0.1).value == 0
