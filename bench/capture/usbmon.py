"""What usbmon recorded beside a call: its packets, how many were dropped, and its clock against CLOCK_MONOTONIC.

Kept as pcap of link type 220, whose packets are usbmon's own: Wireshark opens it.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.capture import urb
from bench.capture.urb import Urb
from bench.errors import Inconclusive, RecordError
from drivers.uapi.clock import hull
from drivers.uapi.usbmon import HEADER
from fixtures.pcap import USB_LINUX_MMAPPED, read_packets, write_packets


@dataclass(frozen=True)
class UsbCapture:
    """A bus, or the device on it, while a call ran.

    `bus`, `device`: their numbers when the call began, 0 for one that was not plugged in. `lost`: packets that are
    missing. `offset_ns`: usbmon's clock (gettimeofday) less the target's CLOCK_MONOTONIC, within ± `error_ns`.
    `missing`: why there is no capture.
    """

    data: bytes
    bus: int = 0
    device: int = 0
    lost: int = 0
    offset_ns: int = 0
    error_ns: int = 0
    missing: str = ""
    big_endian: bool = False

    @classmethod
    def of(cls, raw: Mapping[str, Any], big_endian: bool) -> UsbCapture:
        """What the agent returned; `raw` has the keys of drivers.uapi.usbmon.Monitor.result."""
        offset, error = hull(raw["clock"])
        return cls(raw["data"], raw["bus"], raw["device"], raw["lost"], offset, error + urb.HALF_UNIT_NS,
                   raw["missing"], big_endian)

    @property
    def source(self) -> dict[str, int]:
        """The numbers of the bus and the device."""
        return {"bus": self.bus, "device": self.device}

    @property
    def suffix(self) -> str:
        """Of a capture's file."""
        return "pcap"

    @cached_property
    def packets(self) -> list[Urb]:
        """Every packet of the bus, at the target's CLOCK_MONOTONIC; raises RecordError for a truncated capture."""
        try:
            return urb.urbs(self.data, self.big_endian, self.offset_ns)
        except ValueError as error:
            raise RecordError(str(error)) from error

    @property
    def urbs(self) -> list[Urb]:
        """The device's packets, or the bus's while it was not plugged in.

        Raises Inconclusive when there is no capture, or one with packets missing: their contents are unknown.
        """
        if self.missing:
            raise Inconclusive(f"no recording of the bus: {self.missing}")
        if self.lost:
            raise Inconclusive(f"usbmon dropped {self.lost} packets of bus {self.bus}: what they showed is unknown")
        return [packet for packet in self.packets if self.device in (0, packet.device)]

    def save(self, path: Path) -> None:
        """Write a pcap file."""
        packets = zip(urb.packets(self.data, self.big_endian), self.packets, strict=True)
        write_packets(path, ((packet.at_ns + self.offset_ns, raw, HEADER + urb.captured(raw, self.big_endian))
                             for raw, packet in packets), USB_LINUX_MMAPPED, self.big_endian)

    @staticmethod
    def load(path: Path) -> tuple[bytes, bool]:
        """The packets of a pcap file one after another, and whether they are big-endian; raises RecordError."""
        try:
            link, big_endian, packets = read_packets(path)
        except (ValueError, OSError) as error:
            raise RecordError(str(error)) from error
        if link != USB_LINUX_MMAPPED:
            raise RecordError(f"{path}: link type {link}, expected {USB_LINUX_MMAPPED} (usbmon)")
        return b"".join(packets), big_endian


Capture = UsbCapture  # the name that bench.rig.recorders looks up
