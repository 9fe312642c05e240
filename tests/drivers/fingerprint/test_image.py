"""Statistics that accept or reject a sensor, and PNG files."""
import struct
import zlib

import pytest

from drivers.fingerprint.checks.image import differences, png, statistics
from fixtures import ridges


def test_an_even_picture_has_no_noise_and_nothing_dead():
    measured = statistics(bytes([100]) * 64, 8, 8)
    assert (measured.mean, measured.noise, measured.contrast, measured.dead) == (100.0, 0.0, 0, 0)


def test_a_dead_pixel_is_counted_wherever_it_lies():
    for place in (0, 7, 27, 56, 63):
        pixels = bytearray([200] * 64)
        pixels[place] = 0
        assert statistics(bytes(pixels), 8, 8).dead == 1


def test_a_dead_column_and_a_dead_row_are_named():
    pixels = bytearray([200] * 256)
    pixels[5::16] = bytes(16)
    assert statistics(bytes(pixels), 16, 16).dead_columns == [5]
    pixels = bytearray([200] * 256)
    pixels[48:64] = bytes(16)
    assert statistics(bytes(pixels), 16, 16).dead_rows == [3]


def test_ridges_have_contrast_and_are_not_taken_for_dead_pixels():
    measured = statistics(ridges.finger(4, 64, 64), 64, 64)
    assert measured.contrast > 120
    assert measured.dead <= 2


def test_a_picture_of_the_wrong_size_is_refused():
    with pytest.raises(ValueError, match="9 pixels are not 2 x 4"):
        statistics(bytes(9), 2, 4)


def test_differences_are_counted():
    assert differences(b"abc", b"abd") == 1
    assert differences(b"abc", b"ab") == 3


def test_a_png_says_its_size_and_holds_the_pixels():
    data = png(b"\x01\x02\x03\x04\x05\x06", 2, 3)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (3, 2)
    start = data.index(b"IDAT") + 4
    length = struct.unpack(">I", data[start - 8:start - 4])[0]
    assert zlib.decompress(data[start:start + length]) == b"\0\x01\x02\x03\0\x04\x05\x06"
