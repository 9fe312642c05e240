"""Combined transfers: messages, repeated START, lengths, page writes, SCL."""
from __future__ import annotations

import pytest

from drivers.checks import i2c_contracts
from drivers.i2c.checks.eeprom import CONTENT, store


def declared(board, device):
    """The addresses that the board's data has on this bus."""
    return sorted(other.address for other in board.devices if other.bus == device.name)


@pytest.mark.fault(
    "s3c2410_i2c:ghost_slaves",
    "s3c2410_i2c:nack_address",
    "s3c2410_i2c:wrong_address",
    "tmp102:absent",
    "s3c2410_i2c:acknowledge_ignored",
)
def test_a_scan_finds_the_boards_devices_and_no_other(i2c, board):
    assert i2c.scan().value == declared(board, i2c.device)


@pytest.mark.fault(
    "s3c2410_i2c:restart_as_stop_start", "s3c2410_i2c:stop_lost", "s3c2410_i2c:corrupt_read"
)
def test_a_register_read_has_one_repeated_start(i2c, at24c02_chip, s3c2410_i2c_chip):
    at24c02_chip.content[0xE0:0xE8] = CONTENT
    expects = i2c_contracts.these_bytes_are_read.bind(messages=[CONTENT])
    answer = i2c.tracing(expects, i2c_contracts.reads_are_answered_before_the_result).transfer(
        [{"address": 0x50, "write": b"\xe0"}, {"address": 0x50, "read": 8}]
    )
    assert answer.value == [CONTENT]
    assert expects(answer)
    assert i2c_contracts.reads_are_answered_before_the_result(answer)
    assert s3c2410_i2c_chip.wire == [("write", 0x50, b"\xe0"), ("read", 0x50, CONTENT), ("stop",)]


@pytest.mark.fault("s3c2410_i2c:restart_as_stop_start", "s3c2410_i2c:nack_data")
def test_two_writes_in_one_transfer_are_two_messages(i2c, s3c2410_i2c_chip):
    expects = i2c_contracts.these_bytes_are_written.bind(messages=[b"\xe0", b"\xe1"])
    messages = [{"address": 0x50, "write": b"\xe0"}, {"address": 0x50, "write": b"\xe1"}]
    answer = i2c.tracing(expects).transfer(messages)
    assert answer.value == []
    assert expects(answer)
    assert s3c2410_i2c_chip.wire == [("write", 0x50, b"\xe0"), ("write", 0x50, b"\xe1"), ("stop",)]


@pytest.mark.fault("s3c2410_i2c:restart_as_stop_start")
def test_a_message_after_a_read_has_a_repeated_start(i2c, at24c02_chip, s3c2410_i2c_chip):
    at24c02_chip.content[0xE0:0xE8] = CONTENT
    _ = i2c.smbus(0x50, "send_byte", [0xE0]).value
    s3c2410_i2c_chip.clear()
    answer = i2c.transfer([{"address": 0x50, "read": 2}, {"address": 0x50, "read": 2}])
    assert s3c2410_i2c_chip.wire == [
        ("read", 0x50, b"\x40\x41"),
        ("read", 0x50, b"\x42\x43"),
        ("stop",),
    ]
    assert answer.value == [b"\x40\x41", b"\x42\x43"]


@pytest.mark.fault(
    "at24c02:address_not_stored", "s3c2410_i2c:repeat_read_byte", "at24c02:read_stops_at_page"
)
def test_every_length_from_1_to_40_is_read(i2c, at24c02_chip):
    at24c02_chip.content[:] = bytes(range(256))
    got = i2c.transfer_each(
        [
            [{"address": 0x50, "write": b"\x10"}, {"address": 0x50, "read": count}]
            for count in range(1, 41)
        ]
    ).value
    assert got == [[bytes(range(0x10, 0x10 + count))] for count in range(1, 41)]


@pytest.mark.fault("at24c02:page_not_wrapped", "s3c2410_i2c:drop_written_byte")
def test_a_page_write_wraps_in_its_page(i2c, scratch):
    eeprom = i2c.device.arguments["eeprom"]
    store(i2c, eeprom, scratch, b"01234567")
    store(i2c, eeprom, scratch + 6, b"ABCD")
    assert bytes(i2c.smbus(eeprom, "i2c_block_read", [scratch, 8]).value) == b"CD2345AB"


@pytest.mark.fault("s3c2410_i2c:slow_bytes", "tmp102:stretches_clock")
def test_the_register_read_latency_is_within_its_limit(i2c, measure):
    sensor = i2c.device.arguments["sensor"]
    best = min(i2c.timed_read(sensor, 0, 2).value["seconds"] for _ in range(3))
    measure("register read", best, "s", limit=i2c.limits["register_read_s"])


@pytest.mark.fault("s3c2410_i2c:divider_ignored")
def test_scl_runs_at_most_at_the_clock_frequency_of_the_devicetree(i2c, s3c2410_i2c_chip, measure):
    _ = i2c.scan(0x50, 0x50).value
    measure(
        "SCL",
        s3c2410_i2c_chip.frequency_hz / 1000,
        "kHz",
        limit=i2c.limits["frequency_khz"],
        at_least=50,
    )


@pytest.mark.fault(
    "s3c2410_i2c:corrupt_read", "s3c2410_i2c:restart_as_stop_start", "s3c2410_i2c:repeat_read_byte"
)
def test_concurrent_transfers_do_not_interleave(i2c, at24c02_chip, s3c2410_i2c_chip):
    at24c02_chip.content[:] = bytes(range(256))
    got = i2c.read_in_threads([[0x50, 0x10, 8], [0x50, 0x80, 8]], rounds=8).value
    assert got == [[bytes(range(0x10, 0x18))] * 8, [bytes(range(0x80, 0x88))] * 8]
    assert len(s3c2410_i2c_chip.seen("stop")) == 16
