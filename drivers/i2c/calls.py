"""Calls on an I2C adapter, through i2c-dev and smbus2.

Ref: Documentation/i2c/dev-interface.rst, smbus-protocol.rst

An adapter is named as the kernel names it (`s3c2410-i2c`) or by its number. Errors are those of
Documentation/i2c/fault-codes.rst, as errno.
"""
from __future__ import annotations

import errno
import os
import threading
import time
from typing import Any, TypedDict

from drivers.agent.call import call
from drivers.uapi import i2c as bus
from drivers.uapi.modules import load_module

_I2C_M_RD = 0x0001


class Message(TypedDict, total=False):
    """A message of a combined transfer: to `address`, either `write` these bytes or `read` this
    many.
    """

    address: int
    write: bytes
    read: int
    flags: int  # I2C_M_…


class Adapter(TypedDict):
    """An adapter's number and name."""

    number: int
    name: str


class TimedRead(TypedDict):
    """The bytes read, and how long the transfer took [s]."""

    data: bytes
    seconds: float


_PROTOCOLS = {
    "quick": "write_quick",
    "receive_byte": "read_byte",
    "send_byte": "write_byte",
    "read_byte_data": "read_byte_data",
    "write_byte_data": "write_byte_data",
    "read_word_data": "read_word_data",
    "write_word_data": "write_word_data",
    "process_call": "process_call",
    "block_read": "read_block_data",
    "block_write": "write_block_data",
    "block_process_call": "block_process_call",
    "i2c_block_read": "read_i2c_block_data",
    "i2c_block_write": "write_i2c_block_data",
}


def _open(adapter: str) -> Any:
    # Imported here: the host imports this module for its calls and need not have the library.
    from smbus2 import SMBus  # type: ignore[import-not-found]

    return SMBus(_number(adapter), force=True)


def _number(adapter: str) -> int:
    """The adapter's number; its device node exists afterwards."""
    number = bus.number_of(adapter)
    if not os.path.exists(f"/dev/i2c-{number}"):
        load_module("i2c_dev")  # no devicetree node has it loaded
    return number


@call
def adapters() -> list[Adapter]:
    """Every adapter, by number."""
    return [{"number": number, "name": name} for number, name in sorted(bus.adapters().items())]


@call
def functions(*, adapter: str) -> list[str]:
    """The adapter's functionality: names of I2C_FUNC_…, without the prefix."""
    from smbus2.smbus2 import I2cFunc  # type: ignore[import-not-found]

    with _open(adapter) as opened:
        return sorted(
            flag.name for flag in I2cFunc if flag & opened.funcs and bin(flag).count("1") == 1
        )


@call
def scan(first: int = 0x08, last: int = 0x77, *, adapter: str) -> list[int]:
    """The addresses that acknowledge, probed as i2cdetect does: EEPROMs by a read, the others by a
    quick write.
    """
    present = []
    with _open(adapter) as opened:
        for address in range(first, last + 1):
            reads = 0x30 <= address <= 0x37 or 0x50 <= address <= 0x5F
            try:
                opened.read_byte(address) if reads else opened.write_quick(address)
            except OSError as error:
                if error.errno not in (errno.ENXIO, errno.EREMOTEIO, errno.ENODEV, errno.EIO):
                    raise
            else:
                present.append(address)
    return present


@call
def smbus(
    address: int, protocol: str, arguments: tuple[Any, ...] = (), pec: bool = False, *, adapter: str
) -> Any:
    """One SMBus transaction: receive_byte, write_word_data … with smbus2's arguments.

    Smbus2's result.

    Blocks are lists of bytes.  `pec` adds the packet error code.
    """
    if protocol not in _PROTOCOLS:
        raise ValueError(f"protocol {protocol!r}; expected one of {', '.join(_PROTOCOLS)}")
    with _open(adapter) as opened:
        if pec:
            opened.enable_pec(True)
        return getattr(opened, _PROTOCOLS[protocol])(address, *arguments)


@call
def transfer(messages: list[Message], *, adapter: str) -> list[bytes]:
    """One combined transfer (I2C_RDWR); the bytes of each message that reads."""
    from smbus2 import i2c_msg

    parts = []
    for message in messages:
        if "write" in message:
            part = i2c_msg.write(message["address"], list(message["write"]))
        else:
            part = i2c_msg.read(message["address"], message["read"])
        part.flags |= message.get("flags", 0)
        parts.append(part)
    with _open(adapter) as opened:
        opened.i2c_rdwr(*parts)
    return [bytes(list(part)) for part in parts if part.flags & _I2C_M_RD]


@call
def transfer_each(transfers: list[list[Message]], *, adapter: str) -> list[list[bytes]]:
    """`transfer` of each, one after the other."""
    return [transfer(messages, adapter=adapter) for messages in transfers]


@call
def claim(address: int, *, adapter: str) -> str:
    """Set the address without force (ioctl I2C_SLAVE); EBUSY when a driver is bound there."""
    from smbus2 import SMBus

    with SMBus(_number(adapter)) as opened:
        opened._set_address(address)
    return bus.driver_of(adapter, address)


@call
def driver(address: int, *, adapter: str) -> str:
    """The driver bound at an address; "" for none."""
    return bus.driver_of(adapter, address)


@call
def timed_read(address: int, register: int, count: int, *, adapter: str) -> TimedRead:
    """Read `count` bytes from a register in one combined transfer."""
    from smbus2 import i2c_msg

    request, answer = i2c_msg.write(address, [register]), i2c_msg.read(address, count)
    with _open(adapter) as opened:
        began = time.monotonic()
        opened.i2c_rdwr(request, answer)
        return {"data": bytes(list(answer)), "seconds": time.monotonic() - began}


@call
def read_in_threads(
    reads: list[tuple[int, int, int]], rounds: int, *, adapter: str
) -> list[list[bytes]]:
    """A thread for each (address, register, count), all reading at the same time, `rounds` times.

    What each read.
    """
    from smbus2 import i2c_msg

    data: list[list[bytes]] = [[] for _ in reads]
    errors: list[OSError] = []

    def work(index: int) -> None:
        address, register, count = reads[index]
        try:
            with _open(adapter) as opened:
                for _ in range(rounds):
                    request, answer = (
                        i2c_msg.write(address, [register]),
                        i2c_msg.read(address, count),
                    )
                    opened.i2c_rdwr(request, answer)
                    data[index].append(bytes(list(answer)))
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(reads))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return data
