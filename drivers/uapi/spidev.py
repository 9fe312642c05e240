"""spidev's ioctls, for what its Python library leaves out: messages of several transfers, and
malformed requests.

Ref: include/uapi/linux/spi/spidev.h
"""
from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import struct
from collections.abc import Iterator, Sequence
from typing import TypedDict

MAGIC = ord("k")
TRANSFER = struct.Struct("<QQIIHBBBBBB")  # struct spi_ioc_transfer
SIZE_BITS = 14  # of an ioctl's number: what a message's transfers may take

WR_MODE, RD_MODE = 0x40016B01, 0x80016B01
WR_LSB_FIRST, RD_LSB_FIRST = 0x40016B02, 0x80016B02
WR_BITS_PER_WORD, RD_BITS_PER_WORD = 0x40016B03, 0x80016B03
WR_MAX_SPEED_HZ, RD_MAX_SPEED_HZ = 0x40046B04, 0x80046B04
WR_MODE32, RD_MODE32 = 0x40046B05, 0x80046B05

CPHA, CPOL, CS_HIGH, LSB_FIRST, THREE_WIRE, LOOP, NO_CS, READY = (1 << bit for bit in range(8))

BUFSIZ = 4096  # the module parameter's default: what one message may receive
ALIGNMENT = 64  # spidev_message() aligns each transfer's part of the buffer (ARCH_DMA_MINALIGN)


class Transfer(TypedDict, total=False):
    """One transfer of a message; names and units are those of struct spi_ioc_transfer."""

    data: bytes | None  # for MOSI; None: nothing is sent
    length: int  # bytes to receive when data is None
    receive: bool  # False: what comes back is dropped
    speed_hz: int
    delay_usecs: int
    bits_per_word: int
    cs_change: int
    word_delay_usecs: int
    tx_nbits: int
    rx_nbits: int


class Settings(TypedDict):
    """A device's settings, as the RD ioctls return them."""

    mode: int
    bits_per_word: int
    lsb_first: int
    max_speed_hz: int


def message_request(size: int) -> int:
    """The number of SPI_IOC_MESSAGE for `size` bytes of transfers, valid or not."""
    return 0x40000000 | size << 16 | MAGIC << 8


def path_of(bus: int, device: int) -> str:
    """The device node."""
    return f"/dev/spidev{bus}.{device}"


@contextlib.contextmanager
def opened(bus: int, device: int) -> Iterator[int]:
    """A descriptor of the device node, for the length of a with statement."""
    fd = os.open(path_of(bus, device), os.O_RDWR)
    try:
        yield fd
    finally:
        os.close(fd)


class Message:
    """A message of several transfers, packed once: `run` may be called many times."""

    def __init__(self, transfers: Sequence[Transfer]) -> None:
        self._buffers: list[
            tuple[ctypes.Array[ctypes.c_char] | None, ctypes.Array[ctypes.c_char] | None]
        ] = []
        self._packed = bytearray()
        for transfer in transfers:
            self._add(**transfer)

    def _add(
        self,
        data: bytes | None = None,
        length: int = 0,
        receive: bool = True,
        speed_hz: int = 0,
        delay_usecs: int = 0,
        bits_per_word: int = 0,
        cs_change: int = 0,
        word_delay_usecs: int = 0,
        tx_nbits: int = 0,
        rx_nbits: int = 0,
    ) -> None:
        length = len(data) if data is not None else length
        tx = ctypes.create_string_buffer(data, length) if data else None
        rx = ctypes.create_string_buffer(length) if receive and length else None
        self._buffers.append((tx, rx))
        self._packed += TRANSFER.pack(
            ctypes.addressof(tx) if tx else 0,
            ctypes.addressof(rx) if rx else 0,
            length,
            speed_hz,
            delay_usecs,
            bits_per_word,
            cs_change,
            tx_nbits,
            rx_nbits,
            word_delay_usecs,
            0,
        )

    def run(self, fd: int) -> list[bytes | None]:
        """Run the message.

        What each transfer received, None where nothing is received.  Raises OSError.
        """
        request = message_request(len(self._packed))
        if len(self._packed) >> SIZE_BITS:
            raise ValueError(f"{len(self._buffers)} transfers do not fit one message")
        # Not bytes: Python's ioctl takes at most 1024 of those.
        fcntl.ioctl(fd, request, self._packed)
        return [bytes(rx) if rx is not None else None for _, rx in self._buffers]


class Chip:
    """A chip behind an open spidev device: half-duplex frames, as spi_write_then_read() in the
    kernel.

    `chunk` [bytes per transfer] and `bits_per_word` are for long frames: words wider than a byte
    take fewer accesses to the controller's FIFO, and are swapped back to the wire's byte order
    here.
    """

    def __init__(
        self, fd: int, speed_hz: int = 1000000, chunk: int = 32, bits_per_word: int = 8
    ) -> None:
        self.fd, self.speed_hz, self.chunk, self.bits_per_word = fd, speed_hz, chunk, bits_per_word

    def write_then_read(self, tx: bytes, rx_length: int = 0) -> bytes:
        """Send `tx`, then receive `rx_length` bytes with MOSI undriven: one frame, one message."""
        transfers: list[Transfer] = [{"data": tx, "receive": False, "speed_hz": self.speed_hz}]
        if rx_length:
            transfers.append({"length": rx_length, "speed_hz": self.speed_hz})
        return Message(transfers).run(self.fd)[-1] or b""

    def write_then_read_long(self, tx: bytes, rx_length: int) -> bytes:
        """One frame that receives more than BUFSIZ: cs_change keeps the chip selected across
        messages.
        """
        first: list[Transfer] = [{"data": tx, "receive": False, "speed_hz": self.speed_hz}]
        received: list[bytes] = []
        left = rx_length
        while left or first:
            sizes, left = self.split(left)
            transfers = first + [
                Transfer(length=size, speed_hz=self.speed_hz, bits_per_word=bits)
                for size, bits in sizes
            ]
            transfers[-1]["cs_change"] = int(bool(left))
            parts = Message(transfers).run(self.fd)[len(first) :]
            received += [swapped(data or b"", bits) for data, (_, bits) in zip(parts, sizes)]
            first = []
        return b"".join(received)

    def split(self, left: int) -> tuple[list[tuple[int, int]], int]:
        """The next message's transfers as (bytes, bits per word), and the bytes left for the
        messages after it.
        """
        sizes: list[tuple[int, int]] = []
        room = BUFSIZ
        width = self.bits_per_word // 8
        while left and room >= ALIGNMENT:
            size = min(left, self.chunk, room)
            bits = self.bits_per_word if size >= width else 8
            size -= size % (bits // 8)
            sizes.append((size, bits))
            left -= size
            room -= -(-size // ALIGNMENT) * ALIGNMENT
        return sizes, left


def swapped(data: bytes, bits_per_word: int) -> bytes:
    """Words in little-endian byte order → in the wire's: most significant byte first."""
    width = bits_per_word // 8
    if width == 1:
        return data
    out = bytearray(len(data))
    for at in range(width):
        out[at::width] = data[width - 1 - at :: width]
    return bytes(out)


def ioctl_at(fd: int, request: int, address: int) -> int:
    """An ioctl whose argument is any address, valid or not.  Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(libc.ioctl(ctypes.c_int(fd), ctypes.c_ulong(request), ctypes.c_ulong(address)))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"ioctl {request:#x}")
    return result


def get(fd: int, request: int) -> int:
    """The value that a RD request returns."""
    buffer = bytearray(4)
    fcntl.ioctl(fd, request, buffer)
    return int.from_bytes(buffer, "little")


def put(fd: int, request: int, value: int) -> None:
    """Run a WR request."""
    fcntl.ioctl(fd, request, value.to_bytes(4, "little"))


def settings(fd: int) -> Settings:
    """All settings that can be read."""
    return {
        "mode": get(fd, RD_MODE32),
        "bits_per_word": get(fd, RD_BITS_PER_WORD),
        "lsb_first": get(fd, RD_LSB_FIRST),
        "max_speed_hz": get(fd, RD_MAX_SPEED_HZ),
    }
