"""A device's settings, and requests that spidev must reject."""
from __future__ import annotations

import errno

import pytest

from drivers.checks.spi_contracts import spi_setup_succeeds
from drivers.uapi import spidev

GOOD = {"data": b"good"}


@pytest.fixture
def works_after(spi):
    """At the end a transfer still works: rejected requests have changed nothing."""
    yield
    assert spi.message(transfers=[GOOD]).value == [b"good"]


@pytest.fixture
def restored_settings(spi):
    """The device's settings, restored at the end: they outlive a file descriptor."""
    was = spi.settings().value
    yield was
    del was["lsb_first"]
    _ = spi.configure(**was).value


@pytest.mark.fault("spi_loopback:inverted")
def test_the_device_and_its_controller_are_bound_to_their_drivers(spi, works_after):
    identity = spi.identity().value
    assert identity["driver"] == "spidev"
    assert identity["controller_driver"] == "s3c64xx-spi"
    assert identity["bufsiz"] == "4096"


@pytest.mark.fault("s3c64xx_spi:width_ignored", "spi_loopback:inverted")
def test_settings_are_read_back_as_written_and_hold_for_the_next_transfer(
    spi, plug, ours, restored_settings
):
    good = ours(spi_setup_succeeds)
    answer = spi.tracing(good).configure(mode=3, bits_per_word=16, max_speed_hz=2_000_000)
    assert answer.value == {
        "mode": 3,
        "bits_per_word": 16,
        "lsb_first": 0,
        "max_speed_hz": 2_000_000,
    }
    assert good(answer)
    assert spi.message(transfers=[{"data": b"abcd"}]).value == [b"abcd"]
    assert plug.wire == [("frame", b"badc")]


@pytest.mark.fault("spi_loopback:inverted")
def test_a_mode_set_through_one_descriptor_is_seen_through_another(spi, works_after):
    assert spi.mode_through_two_descriptors(mode=3).value == {"before": 0, "seen": 3}
    assert spi.settings().value["mode"] == 0


@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:rx_bit_flip")
def test_unsupported_bits_per_word_are_rejected(spi, works_after):
    for bits in (7, 9, 24, 64):
        assert (
            spi.raw_ioctl(request=spidev.WR_BITS_PER_WORD, argument=bytes([bits])).errno
            == errno.EINVAL
        )
    assert spi.settings().value["bits_per_word"] == 8


@pytest.mark.expects(splat="setup: unsupported mode bits")
@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:rx_bit_flip")
def test_unsupported_mode_bits_are_rejected(spi, works_after):
    for flag in (spidev.LSB_FIRST, spidev.LOOP, spidev.THREE_WIRE, spidev.READY):
        assert (
            spi.raw_ioctl(request=spidev.WR_MODE32, argument=flag.to_bytes(4, "little")).errno
            == errno.EINVAL
        )
    assert spi.raw_ioctl(request=spidev.WR_MODE32, argument=b"\0\0\0\x80").errno == errno.EINVAL
    assert spi.configure(lsb_first=True).errno == errno.EINVAL
    assert spi.settings().value["mode"] == 0


@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:bus_select_lost")
def test_spi_cs_high_does_not_invert_a_gpio_chip_select(spi, plug, works_after):
    assert (
        spi.raw_ioctl(request=spidev.WR_MODE32, argument=spidev.CS_HIGH.to_bytes(4, "little")).errno
        == 0
    )
    assert spi.settings().value["mode"] == 0
    assert spi.message(transfers=[GOOD]).value == [b"good"]
    assert plug.wire == [("frame", b"good")]


@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:rx_bit_flip")
def test_a_max_speed_hz_of_zero_is_rejected(spi, works_after):
    assert spi.raw_ioctl(request=spidev.WR_MAX_SPEED_HZ, argument=bytes(4)).errno == errno.EINVAL


@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:rx_bit_flip")
def test_a_message_larger_than_bufsiz_is_rejected_with_emsgsize(spi, plug, works_after):
    refused = spi.message_errnos(
        messages=[
            [{"data": bytes(4097)}],
            [{"length": 4097}],
            [{"data": bytes(4033), "receive": False}, {"data": bytes(64)}],
        ]
    ).value
    assert refused == ["EMSGSIZE", "EMSGSIZE", "EMSGSIZE"]
    assert spi.write(data=bytes(4097)).errno == errno.EMSGSIZE
    assert spi.read(length=4097).errno == errno.EMSGSIZE
    assert plug.wire == []


@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:rx_bit_flip")
def test_invalid_transfers_are_rejected_with_einval(spi, plug, works_after):
    refused = spi.message_errnos(
        messages=[
            [{"data": b"abc", "bits_per_word": 16}],
            [{"data": b"ab", "bits_per_word": 12}],
            [{"data": b"a", "tx_nbits": 2}],
            [{"data": b"a", "rx_nbits": 4}],
            [{"data": b"a", "tx_nbits": 3}],
        ]
    ).value
    assert refused == ["EINVAL"] * 5
    assert plug.wire == []


@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:rx_bit_flip")
def test_bad_pointers_are_rejected_with_efault(spi, plug, works_after):
    message_request = spidev.message_request(32)
    to_nowhere = spidev.TRANSFER.pack(8, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0)
    assert spi.raw_ioctl(request=message_request, address=8).errno == errno.EFAULT
    assert spi.raw_ioctl(request=message_request, argument=to_nowhere).errno == errno.EFAULT
    for request in (
        spidev.RD_MODE32,
        spidev.WR_MODE32,
        spidev.WR_BITS_PER_WORD,
        spidev.RD_MAX_SPEED_HZ,
    ):
        assert spi.raw_ioctl(request=request, address=8).errno == errno.EFAULT
    assert plug.wire == []


@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:rx_bit_flip")
def test_malformed_and_unknown_ioctls_are_rejected(spi, works_after):
    assert (
        spi.raw_ioctl(request=spidev.message_request(33), argument=bytes(33)).errno == errno.EINVAL
    )
    assert spi.raw_ioctl(request=spidev.message_request(0)).errno == 0
    assert spi.raw_ioctl(request=0x40206C00, argument=bytes(32)).errno == errno.ENOTTY
    assert spi.raw_ioctl(request=0x80206B00, argument=bytes(32)).errno == errno.ENOTTY


@pytest.mark.fault("spi_loopback:inverted", "s3c64xx_spi:rx_bit_flip")
def test_an_open_file_returns_eshutdown_after_unbind(spi, works_after):
    errnos = spi.unbind_while_open().value
    assert errnos == {
        "read": "ESHUTDOWN",
        "write": "ESHUTDOWN",
        "message": "ESHUTDOWN",
        "mode": "ESHUTDOWN",
        "open": "ENOENT",
        "stale": "ESHUTDOWN",
        "again": "",
    }


@pytest.mark.fault("spi_loopback:inverted")
def test_repeated_spi_setup_leaks_no_memory(spi, works_after):
    kept = spi.setup_leak_bytes(times=400).value
    assert kept < 100 * 64
