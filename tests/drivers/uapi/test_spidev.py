"""spidev's ioctls as bytes, without a device."""
import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.uapi import spidev


def test_a_transfer_is_as_long_as_the_kernels_struct():
    assert spidev.TRANSFER.size == 32


def test_message_requests_are_those_of_the_kernels_macro():
    assert spidev.message_request(32) == 0x40206B00
    assert spidev.message_request(64) == 0x40406B00


def test_a_message_packs_what_it_is_given():
    message = spidev.Message([{"data": b"abc", "receive": False, "speed_hz": 1000, "cs_change": 1, "bits_per_word": 16,
                             "delay_usecs": 5, "word_delay_usecs": 7, "tx_nbits": 2, "rx_nbits": 4}])
    fields = spidev.TRANSFER.unpack(bytes(message._packed))
    assert fields[0] != 0
    assert fields[1:] == (0, 3, 1000, 5, 16, 1, 2, 4, 7, 0)


def test_a_transfer_that_only_receives_sends_nothing():
    fields = spidev.TRANSFER.unpack(bytes(spidev.Message([{"length": 9}])._packed))
    assert fields[0] == 0
    assert fields[1] != 0
    assert fields[2] == 9


def test_too_many_transfers_for_one_ioctl_are_refused_here():
    message = spidev.Message([{"data": b"a"}] * 512)
    with pytest.raises(ValueError, match="512 transfers do not fit one message"):
        message.run(-1)


def test_an_ioctl_on_what_is_no_device_says_its_errno():
    with open(os.devnull, "rb") as null, pytest.raises(OSError, match="ioctl 0x80046b05") as raised:
        spidev.ioctl_at(null.fileno(), spidev.RD_MODE32, 0)
    assert raised.value.errno == errno.ENOTTY


@given(st.integers(1, 40000), st.integers(1, 252), st.sampled_from([8, 16, 32]))
def test_a_long_frame_is_split_into_transfers_that_fit_the_buffer(length, chunk, bits):
    chip, left, total = spidev.Chip(-1, chunk=max(chunk, 4), bits_per_word=bits), length, 0
    while left:
        sizes, left = chip.split(left)
        assert sizes
        assert all(size % (width // 8) == 0 and size for size, width in sizes)
        assert sum(-(-size // 64) * 64 for size, _ in sizes) <= 4096
        total += sum(size for size, _ in sizes)
    assert total == length


@pytest.mark.parametrize(("bits", "expected"), [(8, b"abcdefgh"), (16, b"badcfehg"), (32, b"dcbahgfe")])
def test_words_are_swapped_to_the_wires_byte_order(bits, expected):
    assert spidev.swapped(b"abcdefgh", bits) == expected
