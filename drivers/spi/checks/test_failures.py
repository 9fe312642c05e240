"""A bus that fails: the errno that the program gets, and the next transfer."""
from __future__ import annotations

import errno

import pytest

from drivers.checks.spi_contracts import message_completes_short

LONG = bytes(range(100))
ERRORS = "I/O Error|SPI transfer failed|failed to transfer one message|noqueue transfer failed"


@pytest.fixture
def failing(spi, s3c64xx_spi_chip):
    """Let the n-th burst from now on fail: failing(3).

    At the end a throw-away transfer clears what the driver leaves in the FIFOs.
    """
    faults = s3c64xx_spi_chip.faults
    switched = []

    def fail(nth, fault="bus_fail"):
        switched.append(fault)
        faults.set(fault, every=nth, limit=1)

    yield fail
    for name in switched:
        faults.set(name, False)
    _ = spi.message(transfers=[{"data": b"clear"}]).value


@pytest.mark.expects(splat=ERRORS)
@pytest.mark.fault("s3c64xx_spi:irq_lost", "spi_loopback:inverted")
def test_a_long_transfer_without_clocks_ends_in_a_timeout(spi, failing, ours):
    assert spi.message(transfers=[{"data": LONG}]).value == [LONG]
    fails = ours(message_completes_short)
    failing(1)
    answer = spi.tracing(fails).message(transfers=[{"data": LONG}])
    assert answer.errno == errno.ETIMEDOUT
    assert fails(answer)


@pytest.mark.expects(splat=ERRORS)
@pytest.mark.fault("s3c64xx_spi:irq_lost", "spi_loopback:inverted")
def test_the_second_message_after_a_timeout_is_right(spi, failing):
    failing(1)
    assert spi.message(transfers=[{"data": LONG}]).errno == errno.ETIMEDOUT
    _ = spi.message(transfers=[{"data": b"\xee" * 40}]).value
    assert spi.message(transfers=[{"data": LONG}]).value == [LONG]


@pytest.mark.expects(splat=ERRORS)
@pytest.mark.fault("spi_loopback:inverted")
def test_fifo_data_of_a_failed_transfer_does_not_leak_into_the_next(spi, plug, failing):
    failing(1)
    assert spi.message(transfers=[{"data": b"\xee" * 40}]).errno == errno.ETIMEDOUT
    plug.clear()
    assert spi.message(transfers=[{"data": LONG}]).value == [LONG]
    assert plug.wire == [("frame", LONG)]


@pytest.mark.expects(splat=ERRORS)
@pytest.mark.fault("spi_loopback:inverted")
def test_the_rx_fifo_is_not_read_beyond_the_transfers_length(spi, s3c64xx_spi_chip, failing):
    failing(1, "irq_lost")
    assert spi.message(transfers=[{"length": 40}]).errno == errno.ETIMEDOUT
    s3c64xx_spi_chip.data.read_out.clear()
    assert spi.message(transfers=[{"data": b"a"}]).errno == 0
    [(_, after_the_failure), *own] = s3c64xx_spi_chip.data.read_out
    assert (after_the_failure, own) == (0, [(1, 1)])


@pytest.mark.expects(splat=ERRORS)
@pytest.mark.fault("spi_loopback:inverted")
def test_an_error_in_the_first_of_several_bursts_is_returned(spi, failing):
    failing(1)
    assert spi.message(transfers=[{"length": 600}]).errno == errno.ETIMEDOUT


@pytest.mark.expects(splat=ERRORS)
@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:irq_lost")
def test_an_error_in_the_last_of_several_bursts_is_returned(spi, failing):
    assert spi.message(transfers=[{"data": LONG}]).value == [LONG]
    failing(3)
    assert spi.message(transfers=[{"data": bytes(600)}]).errno == errno.ETIMEDOUT


@pytest.mark.expects(splat=ERRORS)
@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:bus_fail")
def test_a_lost_interrupt_ends_in_a_timeout(spi, failing):
    assert spi.message(transfers=[{"data": LONG}]).value == [LONG]
    failing(1, "irq_lost")
    assert spi.message(transfers=[{"data": LONG}]).errno == errno.ETIMEDOUT


@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:rx_word_stale")
def test_a_delayed_short_transfer_completes(spi, failing):
    failing(1, "bus_delay")
    assert spi.message(transfers=[{"data": b"patience"}]).value == [b"patience"]


@pytest.mark.expects(splat=ERRORS)
@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:irq_lost")
def test_a_delayed_long_transfer_ends_in_a_timeout(spi, failing):
    assert spi.message(transfers=[{"data": LONG}]).value == [LONG]
    failing(1, "bus_delay")
    assert spi.message(transfers=[{"data": LONG}]).errno == errno.ETIMEDOUT


@pytest.mark.expects(splat=ERRORS)
@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:rx_bit_flip")
def test_a_short_transfer_without_clocks_returns_eio(spi, failing):
    assert spi.message(transfers=[{"data": b"short"}]).value == [b"short"]
    failing(1)
    assert spi.message(transfers=[{"data": b"never"}]).errno == errno.EIO
