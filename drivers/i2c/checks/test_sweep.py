"""Every byte of a transfer goes unanswered once, every interrupt is lost once: errno, recovery, the kernel's health."""
from __future__ import annotations

import pytest


def read_and_write(i2c):
    """A combined transfer: a word address, then four bytes from there."""
    eeprom, scratch = i2c.device.arguments["eeprom"], i2c.device.arguments["scratch"]
    return i2c.transfer(messages=[{"address": eeprom, "write": bytes([scratch])}, {"address": eeprom, "read": 4}])


@pytest.mark.sweep
@pytest.mark.fault("s3c2410_i2c:bus_fail")
def test_every_nack_is_reported(sweep, i2c):
    found = sweep("s3c2410_i2c:bus_fail", lambda: read_and_write(i2c))
    assert len(found.fired) == 3, found.ended  # two addresses and a written byte
    assert (found.silent, found.lasting, found.late, found.unwell) == ([], [], [], [])


@pytest.mark.sweep
@pytest.mark.fault("s3c2410_i2c:bus_fail")
def test_the_adapter_recovers_from_every_lost_interrupt(sweep, i2c):
    found = sweep("s3c2410_i2c:lose_interrupts", lambda: read_and_write(i2c))
    assert found.fired, found.ended
    assert found.silent == [], "the program was told nothing although the transfer never came to its end"
    assert (found.lasting, found.unwell) == ([], [])


@pytest.mark.sweep
@pytest.mark.fault("s3c2410_i2c:bus_fail")
def test_every_nack_has_a_documented_errno(sweep, i2c):
    """Documentation/i2c/fault-codes.rst lists what an adapter may return."""
    found = sweep("s3c2410_i2c:bus_fail", lambda: read_and_write(i2c))
    assert {row["outcome"] for row in found.fired} <= {"ENXIO", "EIO", "EAGAIN", "ETIMEDOUT"}


@pytest.mark.sweep
@pytest.mark.expects(splat="deal with arbitration loss")
@pytest.mark.fault("s3c2410_i2c:bus_fail")
def test_the_adapter_recovers_from_every_failed_register_read(sweep, i2c):
    found = sweep("s3c2410_i2c.window:read_fails", lambda: read_and_write(i2c), seconds=60.0)
    assert len(found.fired) > 3, found.ended
    assert (found.lasting, found.unwell) == ([], [])
