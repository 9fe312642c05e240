"""What the SPI checks use: the plug that loops a device back, and contracts bound to the device."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def plug(spi_loopback_chip: Any) -> Any:
    """The loop-back plug: `frames` has what passed between two edges of its chip select."""
    return spi_loopback_chip


@pytest.fixture
def ours(spi: Any) -> Callable[..., Any]:
    """A contract bound to the device's bus and chip select, and to what else it asks for."""
    numbers = {name: spi.device.arguments[name] for name in ("bus", "device")}

    def bind(contract: Any, **values: Any) -> Any:
        return contract.bind(**{name: value for name, value in numbers.items() if name in contract.unbound}, **values)

    return bind
