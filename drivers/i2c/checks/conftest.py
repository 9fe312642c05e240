"""What the I2C checks use: a page of the EEPROM to write to."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from drivers.i2c.checks.eeprom import store


@pytest.fixture
def scratch(i2c: Any) -> Iterator[int]:
    """The offset of a page of the EEPROM to write to; its content is restored at the end."""
    eeprom, offset = i2c.device.arguments["eeprom"], i2c.device.arguments["scratch"]
    before = i2c.transfer(
        [{"address": eeprom, "write": [offset]}, {"address": eeprom, "read": 8}]
    ).value[0]
    yield offset
    store(i2c, eeprom, offset, before)
