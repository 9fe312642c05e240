"""The board's EEPROM as something to write to and read from, for the checks of the adapter."""
from __future__ import annotations

from typing import Any

CONTENT = bytes(range(0x40, 0x48))


def store(i2c: Any, address: int, offset: int, data: bytes) -> None:
    """Write a page, and wait for the end of its write cycle."""
    _ = i2c.transfer([{"address": address, "write": bytes([offset]) + data}]).value
    wait_until_ready(i2c, address)


def wait_until_ready(i2c: Any, address: int) -> None:
    """Poll until the EEPROM acknowledges, that is, until its write cycle has ended."""
    for _ in range(50):
        if not i2c.smbus(address, "receive_byte").errno:
            return
    raise AssertionError("the EEPROM's write cycle does not end")


def packet_error_code(*packet: int) -> int:
    """SMBus's PEC: CRC-8 with x^8 + x^2 + x + 1 over all bytes of a packet, including the address
    bytes.
    """
    code = 0
    for byte in packet:
        code ^= byte
        for _ in range(8):
            code = (code << 1 ^ (0x07 if code & 0x80 else 0)) & 0xFF
    return code
