"""An I2C adapter under test: addresses, SMBus protocols, combined messages, and a bus that misbehaves."""
import errno

import pytest

from drivers.checks import i2c_contracts

CONTENT = bytes(range(0x40, 0x48))


@pytest.fixture
def scratch(i2c):
    """A page of the EEPROM to write to; it is as it was afterwards."""
    eeprom, offset = i2c.device.arguments["eeprom"], i2c.device.arguments["scratch"]
    before = i2c.transfer([{"address": eeprom, "write": [offset]}, {"address": eeprom, "read": 8}]).value[0]
    yield offset
    store(i2c, eeprom, offset, before)


def store(i2c, address, offset, data):
    """A page write, and the wait for its end."""
    _ = i2c.transfer([{"address": address, "write": bytes([offset]) + data}]).value
    until_ready(i2c, address)


def until_ready(i2c, address):
    """Ask until the EEPROM's write cycle is over."""
    for _ in range(50):
        if not i2c.smbus(address, "receive_byte").errno:
            return
    raise AssertionError("the EEPROM does not come back from its write cycle")


def error_code(*packet):
    """SMBus's packet error code: CRC-8 with x^8 + x^2 + x + 1 over all bytes of a packet, addresses as well."""
    code = 0
    for byte in packet:
        code ^= byte
        for _ in range(8):
            code = (code << 1 ^ (0x07 if code & 0x80 else 0)) & 0xFF
    return code


def declared(board, device):
    return sorted(other.address for other in board.devices if other.bus == device.name)


@pytest.mark.fault("s3c2410_i2c:ghost_slaves", "s3c2410_i2c:nack_address", "s3c2410_i2c:wrong_address", "tmp102:absent",
                   "s3c2410_i2c:acknowledge_ignored")
def test_a_scan_finds_what_the_board_says_and_nothing_else(i2c, board):
    assert i2c.scan().value == declared(board, i2c.device)


@pytest.mark.fault("s3c2410_i2c:corrupt_write", "s3c2410_i2c:corrupt_read", "at24c02:write_lost", "at24c02:bit_flip")
def test_a_byte_written_is_read_back(i2c, scratch):
    eeprom = i2c.device.arguments["eeprom"]
    _ = i2c.smbus(eeprom, "write_byte_data", [scratch, 0xA5]).value
    until_ready(i2c, eeprom)
    assert i2c.smbus(eeprom, "read_byte_data", [scratch]).value == 0xA5


@pytest.mark.fault("s3c2410_i2c:drop_written_byte", "s3c2410_i2c:repeat_read_byte", "at24c02:read_does_not_advance")
def test_a_word_has_its_low_byte_first(i2c, scratch):
    eeprom = i2c.device.arguments["eeprom"]
    _ = i2c.smbus(eeprom, "write_word_data", [scratch, 0x1234]).value
    until_ready(i2c, eeprom)
    assert i2c.smbus(eeprom, "i2c_block_read", [scratch, 2]).value == [0x34, 0x12]
    assert i2c.smbus(eeprom, "read_word_data", [scratch]).value == 0x1234


@pytest.mark.fault("s3c2410_i2c:corrupt_read", "at24c02:first_byte_lost", "s3c2410_i2c:drop_written_byte")
def test_a_block_carries_its_count(i2c, scratch):
    eeprom = i2c.device.arguments["eeprom"]
    _ = i2c.smbus(eeprom, "block_write", [scratch, [0x11, 0x22, 0x33]]).value
    until_ready(i2c, eeprom)
    assert i2c.smbus(eeprom, "i2c_block_read", [scratch, 4]).value == [3, 0x11, 0x22, 0x33]
    assert i2c.smbus(eeprom, "block_read", [scratch]).value == [0x11, 0x22, 0x33]


@pytest.mark.fault("at24c02:erased", "s3c2410_i2c:repeat_read_byte")
def test_a_block_that_is_longer_than_smbus_allows_is_a_protocol_error(i2c, scratch):
    eeprom = i2c.device.arguments["eeprom"]
    store(i2c, eeprom, scratch, bytes([2, 33, 0, 0, 0, 0, 0, 0]))
    assert i2c.smbus(eeprom, "block_read", [scratch]).value == [33, 0]
    assert i2c.smbus(eeprom, "block_read", [scratch + 1]).errno == errno.EPROTO
    assert i2c.smbus(eeprom, "block_read", [scratch + 2]).errno == errno.EPROTO


@pytest.mark.fault("s3c2410_i2c:corrupt_read", "s3c2410_i2c:repeat_read_byte", "at24c02:write_lost")
def test_the_packet_error_code_is_sent_and_checked(i2c, scratch):
    eeprom = i2c.device.arguments["eeprom"]
    to, back = eeprom << 1, eeprom << 1 | 1
    _ = i2c.smbus(eeprom, "write_byte_data", [scratch, 0xA5], pec=True).value
    until_ready(i2c, eeprom)
    assert i2c.smbus(eeprom, "i2c_block_read", [scratch, 2]).value == [0xA5, error_code(to, scratch, 0xA5)]
    right = error_code(to, scratch, back, 0x5A)
    store(i2c, eeprom, scratch, bytes([0x5A, right]))
    assert i2c.smbus(eeprom, "read_byte_data", [scratch], pec=True).value == 0x5A
    store(i2c, eeprom, scratch, bytes([0x5A, right ^ 1]))
    assert i2c.smbus(eeprom, "read_byte_data", [scratch], pec=True).errno == errno.EBADMSG


@pytest.mark.fault("s3c2410_i2c:corrupt_read", "at24c02:read_does_not_advance")
def test_a_block_with_a_packet_error_code_is_read_whole(i2c, scratch):
    eeprom = i2c.device.arguments["eeprom"]
    code = error_code(eeprom << 1, scratch, eeprom << 1 | 1, 2, 0x11, 0x22)
    store(i2c, eeprom, scratch, bytes([2, 0x11, 0x22, code]))
    assert i2c.smbus(eeprom, "block_read", [scratch]).value == [0x11, 0x22]
    assert i2c.smbus(eeprom, "block_read", [scratch], pec=True).value == [0x11, 0x22]


@pytest.mark.fault("s3c2410_i2c:corrupt_read", "s3c2410_i2c:restart_as_stop_start")
def test_a_block_process_call_sends_a_block_and_brings_one(i2c, scratch, s3c2410_i2c_chip):
    eeprom = i2c.device.arguments["eeprom"]
    store(i2c, eeprom, scratch, bytes([0, 0, 2, 0x33, 0x44, 0, 0, 0]))
    s3c2410_i2c_chip.clear()
    # a repeated START cancels a page write: of count and byte only the address counter takes notice
    assert i2c.smbus(eeprom, "block_process_call", [scratch, [0x99]]).value == [0x33, 0x44]
    assert s3c2410_i2c_chip.wire == [
        ("write", eeprom, bytes([scratch, 1, 0x99])), ("read", eeprom, b"\x02\x33\x44"), ("stop",)]


PROTOCOLS = {
    "quick": ((), None, [("write", 0x50, b""), ("stop",)]),
    "receive_byte": ((), 0x40, [("read", 0x50, b"\x40"), ("stop",)]),
    "send_byte": ((0xE1,), None, [("write", 0x50, b"\xe1"), ("stop",)]),
    "read_byte_data": ((0xE2,), 0x42, [("write", 0x50, b"\xe2"), ("read", 0x50, b"\x42"), ("stop",)]),
    "read_word_data": ((0xE2,), 0x4342, [("write", 0x50, b"\xe2"), ("read", 0x50, b"\x42\x43"), ("stop",)]),
    "i2c_block_read": ((0xE5, 3), [0x45, 0x46, 0x47],
                       [("write", 0x50, b"\xe5"), ("read", 0x50, b"\x45\x46\x47"), ("stop",)]),
    "write_byte_data": ((0xE3, 0x99), None, [("write", 0x50, b"\xe3\x99"), ("stop",)]),
    "write_word_data": ((0xE3, 0xBBAA), None, [("write", 0x50, b"\xe3\xaa\xbb"), ("stop",)]),
    "block_write": ((0xE3, [7, 8]), None, [("write", 0x50, b"\xe3\x02\x07\x08"), ("stop",)]),
    "i2c_block_write": ((0xE3, [7, 8]), None, [("write", 0x50, b"\xe3\x07\x08"), ("stop",)]),
    # a repeated START cancels a page write: what follows the command goes no further than the address counter
    "process_call": ((0xE1, 0x0000), 0x4443,
                     [("write", 0x50, b"\xe1\x00\x00"), ("read", 0x50, b"\x43\x44"), ("stop",)]),
}


@pytest.mark.fault("s3c2410_i2c:wrong_address", "s3c2410_i2c:nack_address")
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_smbus_protocol_is_these_bytes_on_the_wire(i2c, at24c02_chip, s3c2410_i2c_chip, protocol):
    arguments, expected, wire = PROTOCOLS[protocol]
    at24c02_chip.content[0xE0:0xE8] = CONTENT
    at24c02_chip.reset()
    _ = i2c.smbus(0x50, "send_byte", [0xE0]).value
    s3c2410_i2c_chip.clear()
    recorded = i2c.tracing(i2c_contracts.every_transfer_is_whole, i2c_contracts.one_transfer)
    answer = recorded.smbus(0x50, protocol, list(arguments))
    at24c02_chip.reset()
    assert answer.value == expected
    assert s3c2410_i2c_chip.wire == wire
    if protocol != "quick":  # it has no data: smbus's own emulation gives it no reply
        assert i2c_contracts.every_transfer_is_whole(answer)
    assert i2c_contracts.one_transfer(answer)


@pytest.mark.fault("s3c2410_i2c:restart_as_stop_start", "s3c2410_i2c:stop_lost", "s3c2410_i2c:corrupt_read")
def test_a_register_read_has_one_repeated_start(i2c, at24c02_chip, s3c2410_i2c_chip):
    at24c02_chip.content[0xE0:0xE8] = CONTENT
    expects = i2c_contracts.read_the_bytes.bind(messages=[CONTENT])
    answer = i2c.tracing(expects, i2c_contracts.reads_are_answered_before_the_result).transfer(
        [{"address": 0x50, "write": b"\xe0"}, {"address": 0x50, "read": 8}])
    assert answer.value == [CONTENT]
    assert expects(answer)
    assert i2c_contracts.reads_are_answered_before_the_result(answer)
    assert s3c2410_i2c_chip.wire == [("write", 0x50, b"\xe0"), ("read", 0x50, CONTENT), ("stop",)]


@pytest.mark.fault("s3c2410_i2c:restart_as_stop_start", "s3c2410_i2c:nack_data")
def test_two_writes_in_one_transfer_are_two_messages(i2c, s3c2410_i2c_chip):
    expects = i2c_contracts.wrote_the_bytes.bind(messages=[b"\xe0", b"\xe1"])
    messages = [{"address": 0x50, "write": b"\xe0"}, {"address": 0x50, "write": b"\xe1"}]
    answer = i2c.tracing(expects).transfer(messages)
    assert answer.value == []
    assert expects(answer)
    assert s3c2410_i2c_chip.wire == [("write", 0x50, b"\xe0"), ("write", 0x50, b"\xe1"), ("stop",)]


@pytest.mark.fault("s3c2410_i2c:restart_as_stop_start")
def test_a_message_that_follows_a_read_has_its_own_start(i2c, at24c02_chip, s3c2410_i2c_chip):
    at24c02_chip.content[0xE0:0xE8] = CONTENT
    _ = i2c.smbus(0x50, "send_byte", [0xE0]).value
    s3c2410_i2c_chip.clear()
    answer = i2c.transfer([{"address": 0x50, "read": 2}, {"address": 0x50, "read": 2}])
    assert s3c2410_i2c_chip.wire == [("read", 0x50, b"\x40\x41"), ("read", 0x50, b"\x42\x43"), ("stop",)]
    assert answer.value == [b"\x40\x41", b"\x42\x43"]


@pytest.mark.fault("at24c02:address_not_stored", "s3c2410_i2c:repeat_read_byte", "at24c02:read_stops_at_page")
def test_every_length_from_1_to_40_is_read(i2c, at24c02_chip):
    at24c02_chip.content[:] = bytes(range(256))
    got = i2c.transfer_each(
        [[{"address": 0x50, "write": b"\x10"}, {"address": 0x50, "read": count}] for count in range(1, 41)]).value
    assert got == [[bytes(range(0x10, 0x10 + count))] for count in range(1, 41)]


@pytest.mark.fault("at24c02:page_not_wrapped", "s3c2410_i2c:drop_written_byte")
def test_a_page_write_wraps_in_its_page(i2c, scratch):
    eeprom = i2c.device.arguments["eeprom"]
    store(i2c, eeprom, scratch, b"01234567")
    store(i2c, eeprom, scratch + 6, b"ABCD")
    assert bytes(i2c.smbus(eeprom, "i2c_block_read", [scratch, 8]).value) == b"CD2345AB"


@pytest.mark.fault("s3c2410_i2c:ghost_slaves", "s3c2410_i2c:acknowledge_ignored")
def test_an_address_without_a_slave_is_enxio(i2c):
    fails = i2c_contracts.transfers_fail_with_the_error.bind(error=-errno.ENXIO)
    for message in ({"address": 0x33, "write": b"\0"}, {"address": 0x33, "read": 1}):
        answer = i2c.tracing(fails).transfer([message])
        assert answer.errno == errno.ENXIO
        assert fails(answer)


@pytest.mark.fault("s3c2410_i2c:acknowledge_ignored", "s3c2410_i2c:ghost_slaves")
def test_a_data_byte_that_is_not_acknowledged_ends_the_transfer(i2c, at24c02_chip, s3c2410_i2c_chip):
    at24c02_chip.write_protect.set(True)
    answer = i2c.transfer([{"address": 0x50, "write": b"\xe0\x01\x02\x03"}])
    at24c02_chip.write_protect.set(False)
    assert answer.errno
    assert s3c2410_i2c_chip.wire == [("write", 0x50, b"\xe0\x01"), ("stop",)]
    assert i2c.smbus(0x50, "receive_byte").errno == 0


@pytest.mark.fault("s3c2410_i2c:nack_address", "at24c02:absent")
def test_an_address_with_a_driver_is_busy_unless_forced(i2c):
    address = i2c.device.arguments["eeprom"]
    assert i2c.smbus(address, "receive_byte").errno == 0
    assert i2c.claim(address).errno == errno.EBUSY
    assert i2c.claim(0x33).errno == errno.ENODEV


@pytest.mark.fault("s3c2410_i2c:nack_address", "s3c2410_i2c:corrupt_read")
def test_a_slave_that_stretches_the_clock_is_waited_for(i2c, at24c02_chip, measure):
    at24c02_chip.content[0xE0:0xE8] = CONTENT
    at24c02_chip.stretch_s = 0.02
    answer = i2c.timed_read(0x50, 0xE0, 4)
    at24c02_chip.stretch_s = 0.0
    assert answer.value["data"] == b"\x40\x41\x42\x43"
    measure("stretched read", answer.value["seconds"], "s", limit=1.0, at_least=0.12)


@pytest.mark.fault("s3c2410_i2c:slow_bytes", "tmp102:stretches_clock")
def test_a_register_is_read_in_time(i2c, measure):
    sensor = i2c.device.arguments["sensor"]
    best = min(i2c.timed_read(sensor, 0, 2).value["seconds"] for _ in range(3))
    measure("register read", best, "s", limit=i2c.limits["register_read_s"])


@pytest.mark.fault("s3c2410_i2c:divider_ignored")
def test_the_bus_runs_at_most_at_the_frequency_of_the_devicetree(i2c, s3c2410_i2c_chip, measure):
    _ = i2c.scan(0x50, 0x50).value
    measure("SCL", s3c2410_i2c_chip.frequency_hz / 1000, "kHz", limit=i2c.limits["frequency_khz"], at_least=50)


@pytest.mark.fault("s3c2410_i2c:ghost_slaves")
def test_a_ten_bit_address_is_refused_where_the_adapter_has_none(i2c, s3c2410_i2c_chip):
    assert "TEN_BIT_ADDR" not in i2c.functions().value
    answer = i2c.transfer([{"address": 0x150, "write": b"\xe0", "flags": 0x0010}])
    assert s3c2410_i2c_chip.seen("write") == []
    assert answer.errno


@pytest.mark.fault("s3c2410_i2c:corrupt_read", "s3c2410_i2c:restart_as_stop_start", "s3c2410_i2c:repeat_read_byte")
def test_transfers_of_two_programs_do_not_mix(i2c, at24c02_chip, s3c2410_i2c_chip):
    at24c02_chip.content[:] = bytes(range(256))
    got = i2c.read_in_threads([[0x50, 0x10, 8], [0x50, 0x80, 8]], rounds=8).value
    assert got == [[bytes(range(0x10, 0x18))] * 8, [bytes(range(0x80, 0x88))] * 8]
    assert len(s3c2410_i2c_chip.seen("stop")) == 16


@pytest.mark.fault("s3c2410_i2c:lose_arbitration")
@pytest.mark.expects(splat="arbitration loss")
@pytest.mark.slow(5)
def test_a_transfer_that_loses_the_arbitration_is_done_again(i2c, at24c02_chip, s3c2410_i2c_chip):
    at24c02_chip.content[0xE0:0xE8] = CONTENT
    s3c2410_i2c_chip.bus.contend(0x48, b"\x00")
    answer = i2c.timeout(15).transfer([{"address": 0x50, "write": b"\xe0"}, {"address": 0x50, "read": 2}])
    assert answer.value == [b"\x40\x41"]


@pytest.mark.fault("s3c2410_i2c:busy_stuck", "s3c2410_i2c:sda_stuck")
@pytest.mark.expects(splat="cannot get bus")
@pytest.mark.slow(6)
def test_a_bus_that_is_held_is_an_error_and_works_again_when_let_go(i2c, s3c2410_i2c_chip):
    s3c2410_i2c_chip.bus.hold("sda")
    held = i2c.timeout(20).smbus(0x50, "receive_byte")
    s3c2410_i2c_chip.bus.release()
    assert held.errno in (errno.EREMOTEIO, errno.EAGAIN, errno.EBUSY, errno.ETIMEDOUT)
    assert s3c2410_i2c_chip.seen("write", "read") == []
    assert i2c.timeout(20).smbus(0x50, "receive_byte").errno == 0
    assert i2c.timeout(20).smbus(0x50, "receive_byte").errno == 0


@pytest.mark.fault("s3c2410_i2c:lose_interrupts")
@pytest.mark.slow(5)
def test_after_a_lost_interrupt_the_bus_works_again(i2c, at24c02_chip, s3c2410_i2c_chip):
    at24c02_chip.content[0xE0:0xE8] = CONTENT
    if not s3c2410_i2c_chip.faults.on:
        s3c2410_i2c_chip.faults.set("lose_first_interrupt", limit=1)
    lost = i2c.timeout(15).smbus(0x50, "read_byte_data", [0xE0])
    s3c2410_i2c_chip.faults.lose_first_interrupt = False
    assert lost.errno
    assert i2c.timeout(15).smbus(0x50, "read_byte_data", [0xE1]).value == 0x41
