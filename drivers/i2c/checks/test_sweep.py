"""Each byte of a transfer gets a NACK once, each interrupt is lost once: errno, recovery, kernel
health.
"""
from __future__ import annotations

import pytest

IICCON = 0x00


def read_and_write(i2c):
    """A combined transfer: a word address, then four bytes from there."""
    eeprom, scratch = i2c.device.arguments["eeprom"], i2c.device.arguments["scratch"]
    return i2c.transfer(
        messages=[{"address": eeprom, "write": bytes([scratch])}, {"address": eeprom, "read": 4}]
    )


@pytest.fixture
def restored_iiccon(s3c2410_i2c_chip):
    """IICCON as before: the driver read-modify-writes it, a failed read leaves a wrong divider."""
    before = s3c2410_i2c_chip.read(IICCON, 4)
    yield
    s3c2410_i2c_chip.write(IICCON, 4, before)


@pytest.mark.sweep
@pytest.mark.fault("s3c2410_i2c:bus_fail")
def test_every_nack_is_reported(sweep, i2c):
    result = sweep("s3c2410_i2c:bus_fail", lambda: read_and_write(i2c))
    assert len(result.fired) == 3, result.ended  # two addresses and a written byte
    assert (result.silent, result.lasting, result.late, result.unwell) == ([], [], [], [])


@pytest.mark.sweep
@pytest.mark.fault("s3c2410_i2c:bus_fail")
def test_the_adapter_recovers_from_every_lost_interrupt(sweep, i2c):
    result = sweep("s3c2410_i2c:lose_interrupts", lambda: read_and_write(i2c))
    assert result.fired, result.ended
    assert result.silent == [], "no errno although the transfer did not complete"
    assert (result.lasting, result.unwell) == ([], [])


@pytest.mark.sweep
@pytest.mark.fault("s3c2410_i2c:bus_fail")
def test_every_nack_has_a_documented_errno(sweep, i2c):
    """Documentation/i2c/fault-codes.rst lists what an adapter may return."""
    result = sweep("s3c2410_i2c:bus_fail", lambda: read_and_write(i2c))
    assert {row["outcome"] for row in result.fired} <= {"ENXIO", "EIO", "EAGAIN", "ETIMEDOUT"}


@pytest.mark.sweep
@pytest.mark.expects(splat="deal with arbitration loss")
@pytest.mark.fault("s3c2410_i2c:bus_fail")
def test_the_adapter_recovers_from_every_failed_register_read(sweep, i2c, restored_iiccon):
    result = sweep("s3c2410_i2c.window:read_fails", lambda: read_and_write(i2c), seconds=60.0)
    assert len(result.fired) > 3, result.ended
    assert (result.lasting, result.unwell) == ([], [])
