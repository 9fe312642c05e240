"""The compression of trace.dat version 7, with limits to what a file may unpack to."""
from __future__ import annotations

import zlib
from collections.abc import Callable

from bench.trace.dat.sections import Reader

# Against decompression bombs: unpacked bytes are limited per piece, in total, and in proportion to the file.
LARGEST_META = 1 << 30
LARGEST_CHUNK = 1 << 28
LARGEST_IN_ALL = 1 << 35
LARGEST_RATIO = 1000
Unpack = Callable[[bytes, int], bytes]


class Packing:
    """The compression of a file, and how much it may still unpack to."""

    def __init__(self, unpack: Unpack | None, size: int) -> None:
        self.unpack = unpack
        self.left = min(LARGEST_RATIO * size, LARGEST_IN_ALL)

    def chunk(self, head: Reader, most: int) -> bytes:
        """One compressed piece: its two sizes, then its bytes."""
        at = head.at
        packed, plain = head.number(4, "compressed size"), head.number(4, "uncompressed size")
        data = head.take(packed, "compressed data")
        head.at, after = at, head.at
        if self.unpack is None:
            raise head.fail("a compressed section in a file that names no compression")
        if plain > min(most, self.left) or plain > LARGEST_RATIO * packed + (1 << 20):
            raise head.fail(f"{packed} compressed bytes claim to unpack to {plain}")
        self.left -= plain
        try:
            unpacked = self.unpack(data, plain)
        except ValueError as error:
            raise head.fail(str(error)) from error
        head.at = after
        return unpacked


def unpacker(name: str) -> Unpack:
    """The decompressor for an algorithm's name: (data, exact size of the result) → bytes, else ValueError."""
    known: dict[str, Unpack] = {"zstd": _zstd, "zlib": _zlib}
    if name not in known:
        raise ValueError(f"compressed with {name!r}; zlib and zstd can be read")

    def checked(data: bytes, size: int) -> bytes:
        plain = known[name](data, size)
        if len(plain) != size:
            more = "more than" if len(plain) > size else "fewer than"
            raise ValueError(f"{name}: unpacks to {more} the {size} bytes it claims")
        return plain
    return checked


def _zstd(data: bytes, size: int) -> bytes:
    import zstandard
    try:
        with zstandard.ZstdDecompressor().stream_reader(data) as stream:
            return bytes(stream.read(size + 1))
    except zstandard.ZstdError as error:
        raise ValueError(f"zstd: {error}") from error


def _zlib(data: bytes, size: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, size + 1)
    except zlib.error as error:
        raise ValueError(f"zlib: {error}") from error
