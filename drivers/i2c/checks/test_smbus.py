"""SMBus protocols on the wire: bytes, words, blocks, PEC.

Ref: Documentation/i2c/smbus-protocol.rst
"""
from __future__ import annotations

import errno

import pytest

from drivers.checks import i2c_contracts
from drivers.i2c.checks.eeprom import CONTENT, packet_error_code, store, wait_until_ready


@pytest.mark.fault(
    "s3c2410_i2c:corrupt_write",
    "s3c2410_i2c:corrupt_read",
    "at24c02:write_lost",
    "at24c02:bit_flip",
)
def test_a_byte_written_is_read_back(i2c, scratch):
    eeprom = i2c.device.arguments["eeprom"]
    _ = i2c.smbus(eeprom, "write_byte_data", [scratch, 0xA5]).value
    wait_until_ready(i2c, eeprom)
    assert i2c.smbus(eeprom, "read_byte_data", [scratch]).value == 0xA5


@pytest.mark.fault(
    "s3c2410_i2c:drop_written_byte", "s3c2410_i2c:repeat_read_byte", "at24c02:read_does_not_advance"
)
def test_a_word_has_its_low_byte_first(i2c, scratch):
    eeprom = i2c.device.arguments["eeprom"]
    _ = i2c.smbus(eeprom, "write_word_data", [scratch, 0x1234]).value
    wait_until_ready(i2c, eeprom)
    assert i2c.smbus(eeprom, "i2c_block_read", [scratch, 2]).value == [0x34, 0x12]
    assert i2c.smbus(eeprom, "read_word_data", [scratch]).value == 0x1234


@pytest.mark.fault(
    "s3c2410_i2c:corrupt_read", "at24c02:first_byte_lost", "s3c2410_i2c:drop_written_byte"
)
def test_a_smbus_block_starts_with_its_count(i2c, scratch):
    eeprom = i2c.device.arguments["eeprom"]
    _ = i2c.smbus(eeprom, "block_write", [scratch, [0x11, 0x22, 0x33]]).value
    wait_until_ready(i2c, eeprom)
    assert i2c.smbus(eeprom, "i2c_block_read", [scratch, 4]).value == [3, 0x11, 0x22, 0x33]
    assert i2c.smbus(eeprom, "block_read", [scratch]).value == [0x11, 0x22, 0x33]


@pytest.mark.fault("at24c02:erased", "s3c2410_i2c:repeat_read_byte")
def test_a_smbus_block_of_0_or_33_bytes_is_eproto(i2c, scratch):
    eeprom = i2c.device.arguments["eeprom"]
    store(i2c, eeprom, scratch, bytes([2, 33, 0, 0, 0, 0, 0, 0]))
    assert i2c.smbus(eeprom, "block_read", [scratch]).value == [33, 0]
    assert i2c.smbus(eeprom, "block_read", [scratch + 1]).errno == errno.EPROTO
    assert i2c.smbus(eeprom, "block_read", [scratch + 2]).errno == errno.EPROTO


@pytest.mark.fault("s3c2410_i2c:corrupt_read", "s3c2410_i2c:repeat_read_byte", "at24c02:write_lost")
def test_pec_is_sent_and_checked(i2c, scratch):
    eeprom = i2c.device.arguments["eeprom"]
    to, back = eeprom << 1, eeprom << 1 | 1
    _ = i2c.smbus(eeprom, "write_byte_data", [scratch, 0xA5], pec=True).value
    wait_until_ready(i2c, eeprom)
    assert i2c.smbus(eeprom, "i2c_block_read", [scratch, 2]).value == [
        0xA5,
        packet_error_code(to, scratch, 0xA5),
    ]
    right = packet_error_code(to, scratch, back, 0x5A)
    store(i2c, eeprom, scratch, bytes([0x5A, right]))
    assert i2c.smbus(eeprom, "read_byte_data", [scratch], pec=True).value == 0x5A
    store(i2c, eeprom, scratch, bytes([0x5A, right ^ 1]))
    assert i2c.smbus(eeprom, "read_byte_data", [scratch], pec=True).errno == errno.EBADMSG


@pytest.mark.fault("s3c2410_i2c:corrupt_read", "at24c02:read_does_not_advance")
def test_a_block_read_with_pec_is_complete(i2c, scratch):
    eeprom = i2c.device.arguments["eeprom"]
    code = packet_error_code(eeprom << 1, scratch, eeprom << 1 | 1, 2, 0x11, 0x22)
    store(i2c, eeprom, scratch, bytes([2, 0x11, 0x22, code]))
    assert i2c.smbus(eeprom, "block_read", [scratch]).value == [0x11, 0x22]
    assert i2c.smbus(eeprom, "block_read", [scratch], pec=True).value == [0x11, 0x22]


@pytest.mark.fault("s3c2410_i2c:corrupt_read", "s3c2410_i2c:restart_as_stop_start")
def test_a_block_process_call_sends_and_receives_a_block(i2c, scratch, s3c2410_i2c_chip):
    eeprom = i2c.device.arguments["eeprom"]
    store(i2c, eeprom, scratch, bytes([0, 0, 2, 0x33, 0x44, 0, 0, 0]))
    s3c2410_i2c_chip.clear()
    # a repeated START cancels a page write: of count and byte only the address counter takes notice
    assert i2c.smbus(eeprom, "block_process_call", [scratch, [0x99]]).value == [0x33, 0x44]
    assert s3c2410_i2c_chip.wire == [
        ("write", eeprom, bytes([scratch, 1, 0x99])),
        ("read", eeprom, b"\x02\x33\x44"),
        ("stop",),
    ]


PROTOCOLS = {
    "quick": ((), None, [("write", 0x50, b""), ("stop",)]),
    "receive_byte": ((), 0x40, [("read", 0x50, b"\x40"), ("stop",)]),
    "send_byte": ((0xE1,), None, [("write", 0x50, b"\xe1"), ("stop",)]),
    "read_byte_data": (
        (0xE2,),
        0x42,
        [("write", 0x50, b"\xe2"), ("read", 0x50, b"\x42"), ("stop",)],
    ),
    "read_word_data": (
        (0xE2,),
        0x4342,
        [("write", 0x50, b"\xe2"), ("read", 0x50, b"\x42\x43"), ("stop",)],
    ),
    "i2c_block_read": (
        (0xE5, 3),
        [0x45, 0x46, 0x47],
        [("write", 0x50, b"\xe5"), ("read", 0x50, b"\x45\x46\x47"), ("stop",)],
    ),
    "write_byte_data": ((0xE3, 0x99), None, [("write", 0x50, b"\xe3\x99"), ("stop",)]),
    "write_word_data": ((0xE3, 0xBBAA), None, [("write", 0x50, b"\xe3\xaa\xbb"), ("stop",)]),
    "block_write": ((0xE3, [7, 8]), None, [("write", 0x50, b"\xe3\x02\x07\x08"), ("stop",)]),
    "i2c_block_write": ((0xE3, [7, 8]), None, [("write", 0x50, b"\xe3\x07\x08"), ("stop",)]),
    # a repeated START cancels a page write: what follows the command goes no further than the
    # address counter
    "process_call": (
        (0xE1, 0x0000),
        0x4443,
        [("write", 0x50, b"\xe1\x00\x00"), ("read", 0x50, b"\x43\x44"), ("stop",)],
    ),
}


@pytest.mark.fault("s3c2410_i2c:wrong_address", "s3c2410_i2c:nack_address")
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_smbus_protocol_is_these_bytes_on_the_wire(
    i2c, at24c02_chip, s3c2410_i2c_chip, protocol
):
    arguments, expected, wire = PROTOCOLS[protocol]
    at24c02_chip.content[0xE0:0xE8] = CONTENT
    at24c02_chip.reset()
    _ = i2c.smbus(0x50, "send_byte", [0xE0]).value
    s3c2410_i2c_chip.clear()
    recorded = i2c.tracing(i2c_contracts.every_transfer_completes, i2c_contracts.one_transfer)
    answer = recorded.smbus(0x50, protocol, list(arguments))
    at24c02_chip.reset()
    assert answer.value == expected
    assert s3c2410_i2c_chip.wire == wire
    if protocol != "quick":  # it has no data: smbus's own emulation gives it no reply
        assert i2c_contracts.every_transfer_completes(answer)
    assert i2c_contracts.one_transfer(answer)
