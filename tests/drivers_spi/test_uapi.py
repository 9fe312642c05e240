"""spidev's ioctls as bytes, without a device."""
import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.agent.call import calls_of
from drivers.fingerprint.wires import Wires, _in_order
from drivers.spi import calls
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


def test_patterns_of_different_seeds_differ_and_come_again():
    assert calls.pattern(64, 1) == calls.pattern(64, 1)
    assert calls.pattern(64, 1) != calls.pattern(64, 2)
    assert len(set(calls.pattern(256, 3))) > 100


def test_every_call_has_words_for_what_it_does():
    found = calls_of(calls)
    assert {"transfer", "message", "lengths", "refusals", "on_both_at_once", "compare_with_c"} <= set(found)
    assert all(function.__doc__ for function in found.values())


@given(st.integers(1, 40000), st.integers(1, 252), st.sampled_from([8, 16, 32]))
def test_an_image_is_cut_into_transfers_that_the_buffer_holds(length, chunk, bits):
    wires, left, total = Wires(-1, chunk=max(chunk, 4), bits_per_word=bits), length, 0
    while left:
        sizes, left = wires._sizes(left)
        assert sizes
        assert all(size % (width // 8) == 0 and size for size, width in sizes)
        assert sum(-(-size // 64) * 64 for size, _ in sizes) <= 4096
        total += sum(size for size, _ in sizes)
    assert total == length


@pytest.mark.parametrize(("bits", "got"), [(8, b"abcdefgh"), (16, b"badcfehg"), (32, b"dcbahgfe")])
def test_words_are_put_into_the_wires_order(bits, got):
    assert _in_order(b"abcdefgh", bits) == got
