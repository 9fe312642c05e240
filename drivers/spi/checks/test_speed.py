"""Throughput, compared with the kernel tree's own spidev_test."""
from __future__ import annotations

import pytest


def share_of_c(spi, measure, size, count):
    """Transfers a second of this size, and their share of what spidev_test does."""
    answer = spi.compare_with_spidev_test(size=size, count=count)
    if answer.error and answer.error["type"] == "FileNotFoundError":
        pytest.skip("the target has no spidev_test: it is built from the kernel tree's tools/spi")
    comparison = answer.value
    measure(f"{size} bytes: transfers a second", count / comparison["seconds"], "/s")
    measure(
        f"{size} bytes: share of spidev_test",
        comparison["c_seconds"] / comparison["seconds"],
        "",
        at_least=0.9,
    )


@pytest.mark.fault("s3c64xx_spi:bus_fail")
@pytest.mark.expects(
    splat="I/O Error|SPI transfer failed|failed to transfer one message|noqueue transfer failed"
)
def test_short_transfers_reach_90_percent_of_spidev_tests_throughput(spi, measure):
    share_of_c(spi, measure, 32, 40)


@pytest.mark.slow
@pytest.mark.fault("s3c64xx_spi:irq_lost")
def test_long_transfers_reach_90_percent_of_spidev_tests_throughput(spi, measure):
    share_of_c(spi, measure, 252, 15)


@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:bus_corrupt_miso")
def test_100_short_transfers_back_to_back_are_correct(spi, measure):
    result = spi.bulk(size=16, count=100).value
    assert result["bad"] == 0
    measure("16 bytes: transfers a second", 100 / result["seconds"], "/s")


@pytest.mark.slow(3)
@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:bus_corrupt_miso")
def test_2000_transfers_back_to_back_are_correct(spi):
    assert spi.timeout(120.0).bulk(size=31, count=2000).value["bad"] == 0
