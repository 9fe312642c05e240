"""spidev's ioctls, for what its Python library leaves out: messages of several transfers, and requests that are wrong.

Ref: include/uapi/linux/spi/spidev.h
"""
from __future__ import annotations

import ctypes
import fcntl
import os
import struct
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

MAGIC = ord("k")
TRANSFER = struct.Struct("<QQIIHBBBBBB")  # struct spi_ioc_transfer
SIZE_BITS = 14  # of an ioctl's number: how much a message may hold

WR_MODE, RD_MODE = 0x40016B01, 0x80016B01
WR_LSB_FIRST, RD_LSB_FIRST = 0x40016B02, 0x80016B02
WR_BITS_PER_WORD, RD_BITS_PER_WORD = 0x40016B03, 0x80016B03
WR_MAX_SPEED_HZ, RD_MAX_SPEED_HZ = 0x40046B04, 0x80046B04
WR_MODE32, RD_MODE32 = 0x40046B05, 0x80046B05

CPHA, CPOL, CS_HIGH, LSB_FIRST, THREE_WIRE, LOOP, NO_CS, READY = (1 << bit for bit in range(8))


def message_request(size: int) -> int:
    """The number of SPI_IOC_MESSAGE for `size` bytes of transfers, right or wrong."""
    return 0x40000000 | size << 16 | MAGIC << 8


def path_of(bus: int, device: int) -> str:
    """The device node."""
    return "/dev/spidev%d.%d" % (bus, device)


class Message:
    """A message of several transfers. Each is a mapping with the names of struct spi_ioc_transfer:

    data (bytes for MOSI; None: nothing is sent), length (of what is received when data is None), receive (False: what
    comes back is dropped), speed_hz, delay_usecs, bits_per_word, cs_change, word_delay_usecs, tx_nbits, rx_nbits.
    """

    def __init__(self, transfers: Sequence[Mapping[str, Any]]) -> None:
        self._buffers: List[Tuple[Optional[ctypes.Array[ctypes.c_char]], Optional[ctypes.Array[ctypes.c_char]]]] = []
        self._packed = bytearray()
        for transfer in transfers:
            self._add(**transfer)

    def _add(self, data: Optional[bytes] = None, length: int = 0, receive: bool = True, speed_hz: int = 0,
             delay_usecs: int = 0, bits_per_word: int = 0, cs_change: int = 0, word_delay_usecs: int = 0,
             tx_nbits: int = 0, rx_nbits: int = 0) -> None:
        length = len(data) if data is not None else length
        tx = ctypes.create_string_buffer(data, length) if data else None
        rx = ctypes.create_string_buffer(length) if receive and length else None
        self._buffers.append((tx, rx))
        self._packed += TRANSFER.pack(
            ctypes.addressof(tx) if tx else 0, ctypes.addressof(rx) if rx else 0, length, speed_hz, delay_usecs,
            bits_per_word, cs_change, tx_nbits, rx_nbits, word_delay_usecs, 0)

    def run(self, fd: int) -> List[Optional[bytes]]:
        """Have the kernel do it; what each transfer received, None where nothing was asked for.  Raises OSError."""
        request = message_request(len(self._packed))
        if len(self._packed) >> SIZE_BITS:
            raise ValueError("%d transfers do not fit one message" % len(self._buffers))
        fcntl.ioctl(fd, request, self._packed)  # not bytes: Python's ioctl takes no more than 1024 of those
        return [bytes(rx) if rx is not None else None for _, rx in self._buffers]


def ioctl_at(fd: int, request: int, address: int) -> int:
    """An ioctl whose argument is any address, good or bad.  Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(libc.ioctl(ctypes.c_int(fd), ctypes.c_ulong(request), ctypes.c_ulong(address)))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "ioctl %#x" % request)
    return result


def get(fd: int, request: int) -> int:
    """The value that a RD request gives."""
    buffer = bytearray(4)
    fcntl.ioctl(fd, request, buffer)
    return int.from_bytes(buffer, "little")


def put(fd: int, request: int, value: int) -> None:
    """Do a WR request."""
    fcntl.ioctl(fd, request, value.to_bytes(4, "little"))


def settings(fd: int) -> Dict[str, int]:
    """All that can be asked for."""
    return {"mode": get(fd, RD_MODE32), "bits_per_word": get(fd, RD_BITS_PER_WORD), "lsb_first": get(fd, RD_LSB_FIRST),
            "max_speed_hz": get(fd, RD_MAX_SPEED_HZ)}
