"""The EEPROM reads and writes the bytes that the chip holds.

A check asks for what it needs by name: `memory` is the exerciser, `at24c01_chip` the model on the twin. It names the
faults that must make it fail; `bench prove` shows that they do.
"""
import pytest

from drivers.memory.checks.contracts import every_message_is_transferred

SCRATCH = 0x60  # where a check may write


@pytest.fixture
def scratch(memory):
    """Eight bytes that a check may change; they are restored afterwards."""
    before = memory.read(offset=SCRATCH, count=8).value
    yield SCRATCH
    _ = memory.write(offset=SCRATCH, data=before).errno


@pytest.mark.fault("at24c01:absent", "at24c01:stuck_bit", "at24c01:address_ignored")
def test_a_read_returns_the_bytes_of_the_memory(memory, at24c01_chip, measure):
    at24c01_chip.content[:4] = b"\x00\x01\x02\x03"
    at24c01_chip.clear()
    answer = memory.tracing(every_message_is_transferred).read(offset=0, count=4)
    assert answer.value == b"\x00\x01\x02\x03"  # what the program got
    assert every_message_is_transferred(answer)  # what the kernel did
    assert at24c01_chip.wire == [("write", b"\x00"), ("read", b"\x00\x01\x02\x03")]  # what the chip saw
    measure("read", (answer.ended_ns - answer.started_ns) / 1e9, "s", limit=memory.limits["read_s"])


@pytest.mark.fault("at24c01:write_lost", "at24c01:address_ignored")
def test_what_is_written_is_stored(memory, at24c01_chip, scratch):
    assert memory.write(offset=scratch, data=b"\xca\xfe").value == 2
    assert memory.read(offset=scratch, count=2).value == b"\xca\xfe"
    assert bytes(at24c01_chip.content[scratch:scratch + 2]) == b"\xca\xfe"
