"""What the SPI checks use: the plug that loops a device back, and contracts bound to the device."""
from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest

TRIES = 3


@pytest.fixture
def plug(spi_loopback_chip: Any) -> Any:
    """The loop-back plug: `frames` has what passed between two edges of its chip select."""
    return spi_loopback_chip


@pytest.fixture
def ours(spi: Any) -> Callable[..., Any]:
    """A contract bound to the device's bus and chip select, and to what else it asks for."""
    numbers = {name: spi.device.arguments[name] for name in ("bus", "device")}

    def bind(contract: Any, **values: Any) -> Any:
        return contract.bind(
            **{name: value for name, value in numbers.items() if name in contract.unbound}, **values
        )

    return bind


@pytest.fixture
def in_time(spi: Any, rig: Any, inconclusive: Any) -> Callable[..., Any]:
    """The lengths that come back wrong: `in_time(sizes=…)`.

    Again when the machine, not the chip, was late.

    The driver's timeout for a burst is its length and 10 ms. The twin's controller answers at once
    when no fault is on; a timeout then means that this machine gave the twin no CPU time.
    """
    controller, plug = (rig.chips.get(name) for name in ("s3c64xx_spi", "spi_loopback"))

    def lengths(**arguments: Any) -> Any:
        for _ in range(TRIES):
            answer = spi.timeout(300.0).lengths(**arguments)
            if answer.errno != errno.ETIMEDOUT or controller is None or controller.faults.on:
                return answer.value
            # Clears what the driver left in the FIFOs (docs/defects/spi.md 5).
            _ = spi.transfer(data=b"clear").errno
            plug.clear()
        return inconclusive(
            f"{TRIES} timeouts without a fault: this machine is too slow for the twin"
        )

    return lengths
