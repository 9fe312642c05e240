"""Calls on an I2C adapter, through i2c-dev and smbus2.   Ref: Documentation/i2c/dev-interface.rst, smbus-protocol.rst

An adapter is named as the kernel names it (`s3c2410-i2c`) or by its number. Errors are those of
Documentation/i2c/fault-codes.rst, as errno.
"""
from __future__ import annotations

import errno
import os
import threading
import time
from typing import Any, Dict, List, Optional, Tuple

from drivers.agent.call import call
from drivers.uapi import i2c as sysfs
from drivers.uapi.modules import load_module

_I2C_M_RD = 0x0001
_PROTOCOLS = {
    "quick": "write_quick", "receive_byte": "read_byte", "send_byte": "write_byte",
    "read_byte_data": "read_byte_data", "write_byte_data": "write_byte_data",
    "read_word_data": "read_word_data", "write_word_data": "write_word_data",
    "process_call": "process_call", "block_read": "read_block_data", "block_write": "write_block_data",
    "block_process_call": "block_process_call", "i2c_block_read": "read_i2c_block_data",
    "i2c_block_write": "write_i2c_block_data",
}


def _open(adapter: str) -> Any:
    # Here and not on top: the host reads this module for its calls and need not have the library.
    from smbus2 import SMBus  # type: ignore[import-not-found]

    return SMBus(_number(adapter), force=True)


def _number(adapter: str) -> int:
    """The adapter's number; its device node is there then."""
    number = sysfs.number_of(adapter)
    if not os.path.exists("/dev/i2c-%d" % number):
        load_module("i2c_dev")  # nothing in the devicetree asks for it
    return number


@call
def adapters() -> List[Dict[str, Any]]:
    """Each adapter's number and name."""
    return [{"number": number, "name": name} for number, name in sorted(sysfs.adapters().items())]


@call
def functions(*, adapter: str) -> List[str]:
    """The names of what the adapter says it can do, as in I2C_FUNC_…, without the prefix."""
    from smbus2.smbus2 import I2cFunc  # type: ignore[import-not-found]

    with _open(adapter) as bus:
        return sorted(flag.name for flag in I2cFunc if flag & bus.funcs and bin(flag).count("1") == 1)


@call
def scan(first: int = 0x08, last: int = 0x77, *, adapter: str) -> List[int]:
    """The addresses that answer, as i2cdetect asks: EEPROM addresses are read from, the others get a quick write."""
    found = []
    with _open(adapter) as bus:
        for address in range(first, last + 1):
            reads = 0x30 <= address <= 0x37 or 0x50 <= address <= 0x5F
            try:
                bus.read_byte(address) if reads else bus.write_quick(address)
            except OSError as error:
                if error.errno not in (errno.ENXIO, errno.EREMOTEIO, errno.ENODEV, errno.EIO):
                    raise
            else:
                found.append(address)
    return found


@call
def smbus(address: int, protocol: str, arguments: Tuple[Any, ...] = (), pec: bool = False, *, adapter: str) -> Any:
    """One SMBus transaction: receive_byte, write_word_data … with smbus2's arguments; what it gives back.

    Blocks are lists of bytes. `pec` adds the packet error code.
    """
    if protocol not in _PROTOCOLS:
        raise ValueError("protocol %r; expected one of %s" % (protocol, ", ".join(_PROTOCOLS)))
    with _open(adapter) as bus:
        if pec:
            bus.enable_pec(True)
        return getattr(bus, _PROTOCOLS[protocol])(address, *arguments)


@call
def transfer(messages: List[Dict[str, Any]], *, adapter: str) -> List[bytes]:
    """One combined transfer (I2C_RDWR); the bytes of each message that reads.

    A message is {"address": 0x50, "write": bytes} or {"address": 0x50, "read": count}; "flags" are I2C_M_… .
    """
    from smbus2 import i2c_msg

    made = []
    for message in messages:
        if "write" in message:
            one = i2c_msg.write(message["address"], list(message["write"]))
        else:
            one = i2c_msg.read(message["address"], message["read"])
        one.flags |= message.get("flags", 0)
        made.append(one)
    with _open(adapter) as bus:
        bus.i2c_rdwr(*made)
    return [bytes(list(one)) for one in made if one.flags & _I2C_M_RD]


@call
def transfer_each(transfers: List[List[Dict[str, Any]]], *, adapter: str) -> List[List[bytes]]:
    """What `transfer` gives for each of several, one after the other."""
    return [transfer(messages, adapter=adapter) for messages in transfers]


@call
def claim(address: int, *, adapter: str) -> str:
    """Ask for an address without force (ioctl I2C_SLAVE), and say which driver is bound there; EBUSY when one is."""
    from smbus2 import SMBus

    with SMBus(_number(adapter)) as bus:
        bus._set_address(address)
    return sysfs.driver_of(adapter, address)


@call
def driver(address: int, *, adapter: str) -> str:
    """The driver bound at an address, "" for none."""
    return sysfs.driver_of(adapter, address)


@call
def timed_read(address: int, register: int, count: int, *, adapter: str) -> Dict[str, Any]:
    """Read `count` bytes from a register in one combined transfer; the data and how long it took, s."""
    from smbus2 import i2c_msg

    asked, answer = i2c_msg.write(address, [register]), i2c_msg.read(address, count)
    with _open(adapter) as bus:
        began = time.monotonic()
        bus.i2c_rdwr(asked, answer)
        return {"data": bytes(list(answer)), "seconds": time.monotonic() - began}


@call
def read_in_threads(reads: List[Tuple[int, int, int]], rounds: int, *, adapter: str) -> List[List[bytes]]:
    """Threads, one for each (address, register, count), read at the same time, `rounds` times; what each got."""
    from smbus2 import i2c_msg

    got: List[List[bytes]] = [[] for _ in reads]
    failed: List[Optional[OSError]] = [None for _ in reads]

    def work(index: int) -> None:
        address, register, count = reads[index]
        try:
            with _open(adapter) as bus:
                for _ in range(rounds):
                    asked, answer = i2c_msg.write(address, [register]), i2c_msg.read(address, count)
                    bus.i2c_rdwr(asked, answer)
                    got[index].append(bytes(list(answer)))
        except OSError as error:
            failed[index] = error

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(reads))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in failed:
        if error is not None:
            raise error
    return got
