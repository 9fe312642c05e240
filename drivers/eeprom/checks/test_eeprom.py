"""A serial EEPROM: reads, page writes, the write cycle, write protection, timeouts."""
import errno

import pytest

from drivers.checks import i2c_contracts

PATTERN = bytes((i * 7 + 3) % 256 for i in range(256))


@pytest.fixture
def memory(eeprom):
    """The offset at which a check may write; the content is restored at the end."""
    offset = eeprom.device.arguments["scratch"]
    before = eeprom.read(offset=offset, count=32).value
    yield offset
    _ = eeprom.write(offset=offset, data=before).errno


@pytest.mark.fault("at24c02:absent", "s3c2410_i2c:nack_address")
def test_probe_creates_a_file_of_the_whole_memory(eeprom):
    assert eeprom.rebind().value == "at24"
    assert eeprom.identity().value == {"driver": "at24", "size": 256}


@pytest.mark.fault(
    "at24c02:stuck_bit",
    "at24c02:bit_flip",
    "at24c02:erased",
    "at24c02:address_line_open",
    "at24c02:read_stops_at_page",
    "at24c02:read_does_not_advance",
    "at24c02:address_not_stored",
    "s3c2410_i2c:corrupt_read",
)
def test_the_file_has_the_memory_s_content(eeprom, at24c02_chip):
    at24c02_chip.content[:] = PATTERN
    assert eeprom.read().value == PATTERN
    assert eeprom.read_each(places=[[0, 1], [64, 4], [255, 1], [250, 20]]).value == [
        PATTERN[:1],
        PATTERN[64:68],
        PATTERN[255:],
        PATTERN[250:],
    ]


@pytest.mark.fault(
    "at24c02:write_lost",
    "at24c02:first_byte_lost",
    "at24c02:protected",
    "at24c02:write_never_ends",
    "s3c2410_i2c:corrupt_write",
    "s3c2410_i2c:drop_written_byte",
)
def test_what_is_written_is_read_back(eeprom, memory):
    data = bytes(range(0x81, 0x81 + 20))
    written = eeprom.tracing(i2c_contracts.every_transfer_completes).write_and_read(
        offset=memory + 3, data=data
    )
    assert written.value["data"] == data


@pytest.mark.fault("at24c02:write_lost", "s3c2410_i2c:stop_lost", "at24c02:protected")
def test_a_write_is_split_at_page_boundaries(eeprom, memory, at24c02_chip):
    at24c02_chip.clear()
    _ = eeprom.write(offset=memory + 5, data=bytes(range(12))).value
    assert at24c02_chip.seen("stored") == [
        ("stored", memory + 5, b"\0\1\2"),
        ("stored", memory + 8, bytes(range(3, 11))),
        ("stored", memory + 16, b"\x0b"),
    ]
    assert at24c02_chip.violations == []


@pytest.mark.fault("at24c02:no_write_cycle")
def test_the_driver_polls_until_the_write_cycle_ends(
    eeprom, memory, at24c02_chip, s3c2410_i2c_chip
):
    s3c2410_i2c_chip.clear()
    at24c02_chip.write_cycle_asks = 2
    written = eeprom.write_and_read(offset=memory, data=b"\x5a")
    at24c02_chip.write_cycle_asks = 0
    assert written.value["data"] == b"\x5a"
    assert s3c2410_i2c_chip.wire.count(("nack", 0x50)) >= 2


@pytest.mark.fault("at24c02:write_lost")
def test_a_write_protected_memory_rejects_a_write_and_keeps_its_content(
    eeprom, memory, at24c02_chip
):
    _ = eeprom.write(offset=memory, data=b"\x11\x22").value
    at24c02_chip.write_protect.set(True)
    refused = eeprom.write(offset=memory, data=b"\x33\x44")
    at24c02_chip.write_protect.set(False)
    assert refused.errno == errno.ETIMEDOUT
    assert eeprom.read(offset=memory, count=2).value == b"\x11\x22"


@pytest.mark.fault("at24c02:erased")
def test_the_end_of_the_memory_is_the_end_of_the_file(eeprom, at24c02_chip):
    at24c02_chip.content[:] = PATTERN
    assert eeprom.read(offset=255, count=10).value == PATTERN[255:]
    assert eeprom.read(offset=256, count=1).value == b""
    assert eeprom.write(offset=256, data=b"x").errno == errno.EFBIG


@pytest.mark.fault("s3c2410_i2c:slow_bytes", "at24c02:stretches_clock")
def test_the_read_latency_is_within_its_limit(eeprom, measure):
    answer = eeprom.read_each(places=[[0, 32]])
    measure(
        "32 bytes",
        (answer.ended_ns - answer.started_ns) / 1e9,
        "s",
        limit=eeprom.limits["read_32_s"],
    )


@pytest.mark.fault("at24c02:write_lost", "at24c02:bit_flip")
def test_a_memory_that_stays_busy_ends_in_a_timeout(eeprom, memory, at24c02_chip):
    at24c02_chip.write_cycle_s = 0.2
    try:
        _ = eeprom.write(offset=memory, data=b"\x77").value
        assert eeprom.read(offset=memory, count=1).errno == errno.ETIMEDOUT
    finally:
        at24c02_chip.write_cycle_s = 0.003
        at24c02_chip.reset()
    assert eeprom.read(offset=memory, count=1).value == b"\x77"
