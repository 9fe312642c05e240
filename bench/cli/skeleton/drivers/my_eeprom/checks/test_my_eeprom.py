"""The EEPROM reads and writes the bytes that the chip holds.

A check asks for what it needs by name: `my_eeprom` is the exerciser, `at24c01_chip` the model on the twin. It names the
faults that must make it fail; `bench prove` shows that they do.
"""
import pytest

from drivers.my_eeprom.checks.contracts import every_message_is_transferred

SCRATCH = 0x60  # where a check may write


@pytest.fixture
def scratch(my_eeprom):
    """Eight bytes that a check may change; they are restored afterwards."""
    before = my_eeprom.read(offset=SCRATCH, count=8).value
    yield SCRATCH
    _ = my_eeprom.write(offset=SCRATCH, data=before).errno


@pytest.mark.fault("at24c01:absent", "at24c01:stuck_bit", "at24c01:address_ignored")
def test_a_read_returns_the_bytes_of_the_memory(my_eeprom, at24c01_chip, measure):
    at24c01_chip.content[:4] = b"\x00\x01\x02\x03"
    at24c01_chip.clear()
    answer = my_eeprom.tracing(every_message_is_transferred).read(offset=0, count=4)
    assert answer.value == b"\x00\x01\x02\x03"  # what the program got
    assert every_message_is_transferred(answer)  # what the kernel did
    assert at24c01_chip.wire == [("write", b"\x00"), ("read", b"\x00\x01\x02\x03")]  # what the chip saw
    measure("read", (answer.ended_ns - answer.started_ns) / 1e9, "s", limit=my_eeprom.limits["read_s"])


@pytest.mark.fault("at24c01:write_lost", "at24c01:address_ignored")
def test_what_is_written_is_stored(my_eeprom, at24c01_chip, scratch):
    assert my_eeprom.write(offset=scratch, data=b"\xca\xfe").value == 2
    assert my_eeprom.read(offset=scratch, count=2).value == b"\xca\xfe"
    assert bytes(at24c01_chip.content[scratch:scratch + 2]) == b"\xca\xfe"
