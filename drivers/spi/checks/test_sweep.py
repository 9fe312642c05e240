"""Each burst and each register access of a message fails once: the errno, and the next message."""
from __future__ import annotations

import pytest

ERRORS = (
    "I/O Error|SPI transfer failed|failed to transfer one message|noqueue transfer failed"
    "|[RT]X (over|under)run"
)
SENT = [bytes(range(100)), bytes(range(100, 130))]


@pytest.fixture
def many(spi):
    """A message of two transfers, one beyond the FIFO depth, and whether its data is right."""
    return (lambda: spi.message(transfers=[{"data": data} for data in SENT])), {
        "right": lambda value: value == SENT
    }


@pytest.mark.sweep
@pytest.mark.expects(splat=ERRORS)
@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:irq_lost")
def test_each_failed_burst_returns_an_error_and_the_device_recovers(sweep, many):
    message, known = many
    result = sweep("s3c64xx_spi:bus_fail", message, **known)
    assert len(result.fired) > 1, result.ended
    assert result.silent == [], "no errno although these bursts failed"
    assert (result.lasting, result.unwell) == ([], [])


@pytest.mark.sweep
@pytest.mark.expects(splat=ERRORS)
@pytest.mark.fault("spi_loopback:inverted")
def test_the_message_after_a_failed_burst_is_right(sweep, many):
    message, known = many
    result = sweep("s3c64xx_spi:bus_fail", message, **known)
    assert result.late == [], "the message after these bursts was wrong, too"


@pytest.mark.sweep
@pytest.mark.expects(splat=ERRORS)
@pytest.mark.fault("spi_loopback:inverted")
def test_a_rebind_recovers_from_each_failed_register_read(sweep, many, spi, kernel):
    message, known = many
    identity = spi.identity().value

    def rebind():
        _ = kernel.rebind(driver=identity["controller_driver"], device=identity["controller"]).value

    result = sweep("s3c64xx_spi.window:read_fails", message, repair=rebind, **known)
    assert len(result.fired) > 4, result.ended
    assert (result.lasting, result.unwell) == ([], [])
