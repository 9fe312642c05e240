"""NACKs, clock stretching, lost arbitration, a stuck bus, a lost interrupt.

Ref: Documentation/i2c/fault-codes.rst
"""
from __future__ import annotations

import errno

import pytest

from drivers.checks import i2c_contracts
from drivers.i2c.checks.eeprom import CONTENT


@pytest.mark.fault("s3c2410_i2c:ghost_slaves", "s3c2410_i2c:acknowledge_ignored")
def test_an_address_nack_is_enxio(i2c):
    fails = i2c_contracts.transfers_return_the_error.bind(error=-errno.ENXIO)
    for message in ({"address": 0x33, "write": b"\0"}, {"address": 0x33, "read": 1}):
        answer = i2c.tracing(fails).transfer([message])
        assert answer.errno == errno.ENXIO
        assert fails(answer)


@pytest.mark.fault("s3c2410_i2c:acknowledge_ignored", "s3c2410_i2c:ghost_slaves")
def test_a_data_nack_ends_the_transfer_with_a_stop(i2c, at24c02_chip, s3c2410_i2c_chip):
    at24c02_chip.write_protect.set(True)
    answer = i2c.transfer([{"address": 0x50, "write": b"\xe0\x01\x02\x03"}])
    at24c02_chip.write_protect.set(False)
    assert answer.errno
    assert s3c2410_i2c_chip.wire == [("write", 0x50, b"\xe0\x01"), ("stop",)]
    assert i2c.smbus(0x50, "receive_byte").errno == 0


@pytest.mark.fault("s3c2410_i2c:nack_address", "at24c02:absent")
def test_an_address_with_a_driver_is_ebusy_unless_forced(i2c):
    address = i2c.device.arguments["eeprom"]
    assert i2c.smbus(address, "receive_byte").errno == 0
    assert i2c.claim(address).errno == errno.EBUSY
    assert i2c.claim(0x33).errno == errno.ENODEV


@pytest.mark.fault("s3c2410_i2c:nack_address", "s3c2410_i2c:corrupt_read")
def test_clock_stretching_is_tolerated(i2c, at24c02_chip, measure):
    at24c02_chip.content[0xE0:0xE8] = CONTENT
    at24c02_chip.stretch_s = 0.02
    answer = i2c.timed_read(0x50, 0xE0, 4)
    at24c02_chip.stretch_s = 0.0
    assert answer.value["data"] == b"\x40\x41\x42\x43"
    measure("stretched read", answer.value["seconds"], "s", limit=1.0, at_least=0.12)


@pytest.mark.fault("s3c2410_i2c:ghost_slaves")
def test_a_10_bit_address_is_rejected_without_i2c_func_10bit_addr(i2c, s3c2410_i2c_chip):
    assert "TEN_BIT_ADDR" not in i2c.functions().value
    answer = i2c.transfer([{"address": 0x150, "write": b"\xe0", "flags": 0x0010}])
    assert s3c2410_i2c_chip.seen("write") == []
    assert answer.errno


@pytest.mark.fault("s3c2410_i2c:lose_arbitration")
@pytest.mark.expects(splat="arbitration loss")
@pytest.mark.slow(5)
def test_a_transfer_that_loses_arbitration_is_retried(i2c, at24c02_chip, s3c2410_i2c_chip):
    at24c02_chip.content[0xE0:0xE8] = CONTENT
    s3c2410_i2c_chip.bus.contend(0x48, b"\x00")
    answer = i2c.timeout(15).transfer(
        [{"address": 0x50, "write": b"\xe0"}, {"address": 0x50, "read": 2}]
    )
    assert answer.value == [b"\x40\x41"]


@pytest.mark.fault("s3c2410_i2c:busy_stuck", "s3c2410_i2c:sda_stuck")
@pytest.mark.expects(splat="cannot get bus")
@pytest.mark.slow(6)
def test_a_stuck_bus_is_an_error_and_recovers_when_released(i2c, s3c2410_i2c_chip):
    s3c2410_i2c_chip.bus.hold("sda")
    held = i2c.timeout(20).smbus(0x50, "receive_byte")
    s3c2410_i2c_chip.bus.release()
    assert held.errno in (errno.EREMOTEIO, errno.EAGAIN, errno.EBUSY, errno.ETIMEDOUT)
    assert s3c2410_i2c_chip.seen("write", "read") == []
    assert i2c.timeout(20).smbus(0x50, "receive_byte").errno == 0
    assert i2c.timeout(20).smbus(0x50, "receive_byte").errno == 0


@pytest.mark.fault("s3c2410_i2c:lose_interrupts")
@pytest.mark.slow(5)
def test_the_bus_recovers_after_a_lost_interrupt(i2c, at24c02_chip, s3c2410_i2c_chip):
    at24c02_chip.content[0xE0:0xE8] = CONTENT
    if not s3c2410_i2c_chip.faults.on:
        s3c2410_i2c_chip.faults.set("lose_first_interrupt", limit=1)
    lost = i2c.timeout(15).smbus(0x50, "read_byte_data", [0xE0])
    s3c2410_i2c_chip.faults.lose_first_interrupt = False
    assert lost.errno
    assert i2c.timeout(15).smbus(0x50, "read_byte_data", [0xE1]).value == 0x41
