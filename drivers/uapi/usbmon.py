"""/dev/usbmonN: every URB of a bus, its submission and its completion.

Ref: Documentation/usb/usbmon.rst

The target's half, which only records; bench.capture.urb decodes the recording.
"""
from __future__ import annotations

import ctypes
import fcntl
import os
import struct
import threading
from types import TracebackType
from typing import TypedDict

from drivers.uapi import clock, sysfs, usb
from drivers.uapi.ioctl import ioc
from drivers.uapi.modules import load_module

# struct mon_bin_hdr: id, type, transfer, endpoint, device, bus, flags, seconds, microseconds,
# status, lengths (URB's, captured), setup, interval, start frame, transfer flags, isochronous
# descriptors
FIELDS = "QBBBBHccqiiII8siiII"
HEADER = struct.calcsize("=" + FIELDS)  # 64
RING_BYTES = 1 << 20  # of the kernel's buffer; older kernels allow 1200 KiB
SNAP = 4096  # bytes of a packet's payload that are kept
# struct mon_bin_get: addresses of header and data, size of data
_GET = struct.Struct("@PPN")
MON_IOCG_STATS = ioc(2, 0x92, 3, 8)
MON_IOCT_RING_SIZE = ioc(0, 0x92, 4, 0)
MON_IOCX_GETX = ioc(1, 0x92, 10, _GET.size)  # all 64 bytes of a header, where read() gives 48
FETCH_S = 0.05  # 1 MB holds some 8000 packets, which take a full-speed bus seconds
MOST_BYTES = 16 << 20  # kept per call; packets beyond that count as lost


class Recording(TypedDict):
    """What was recorded.

    bus and device are 0 while the device is not plugged in; /dev/usbmon0 has all buses.
    """

    bus: int
    device: int
    data: bytes  # packets one after another, each a header and at most SNAP bytes of payload
    lost: int  # packets that the kernel or the recorder dropped
    clock: list[list[int]]  # clock.wall_clock() before and after
    missing: str  # why there is no recording; "" when there is one


class Monitor:
    """Records the bus of a device from `__enter__` to `__exit__`.

    `result` is complete after that.
    """

    def __init__(self, vendor: int, product: int, ring_bytes: int = RING_BYTES) -> None:
        names = usb.matching(vendor, product)
        self.bus, device = (
            int(sysfs.read(f"{usb.DEVICES}/{names[0]}/{number}", sysfs.ABSENT) or 0) if names else 0
            for number in ("busnum", "devnum")
        )
        self.result: Recording = {
            "bus": self.bus,
            "device": device,
            "data": b"",
            "lost": 0,
            "clock": [],
            "missing": "",
        }
        self._ring_bytes = ring_bytes
        self._node = -1
        self._stop = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._packets = bytearray()
        self._dropped = 0
        self._failed = ""

    def __enter__(self) -> Monitor:
        self.result["clock"].append(clock.wall_clock())
        try:
            self._node = _opened(self.bus)
            fcntl.ioctl(self._node, MON_IOCT_RING_SIZE, self._ring_bytes)
        except OSError as error:
            self.result["missing"] = f"usbmon of bus {self.bus}: {error.strerror}"
            return self
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._reader.ident is not None:
            self._stop.set()
            self._reader.join()
            stats = struct.unpack("=II", fcntl.ioctl(self._node, MON_IOCG_STATS, bytes(8)))
            self.result.update(
                {
                    "data": bytes(self._packets),
                    "lost": stats[1] + self._dropped,
                    "missing": self._failed,
                }
            )
        if self._node >= 0:
            os.close(self._node)
        self.result["clock"].append(clock.wall_clock())

    def _read(self) -> None:
        header, data = ctypes.create_string_buffer(HEADER), ctypes.create_string_buffer(SNAP)
        request = _GET.pack(ctypes.addressof(header), ctypes.addressof(data), SNAP)
        try:
            while not self._stop.wait(FETCH_S):
                self._fetch(header, data, request)
            self._fetch(header, data, request)
        except OSError as error:
            self._failed = f"usbmon of bus {self.bus} failed: {error.strerror}"

    def _fetch(
        self, header: ctypes.Array[ctypes.c_char], data: ctypes.Array[ctypes.c_char], request: bytes
    ) -> None:
        """Fetch every packet that is in the ring."""
        while True:
            try:
                fcntl.ioctl(self._node, MON_IOCX_GETX, request)
            except BlockingIOError:
                return
            if len(self._packets) > MOST_BYTES:
                self._dropped += 1
                continue
            captured = struct.unpack_from("=I", header, 36)[0]
            self._packets += header.raw + data.raw[: min(captured, SNAP)]


def _opened(bus: int) -> int:
    """Open a bus's node; ENOENT when the kernel has no usbmon."""
    path = f"/dev/usbmon{bus}"
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        load_module("usbmon")
        return os.open(path, flags)
