"""What a board is: frozen values, read from board.yaml."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.board.defects import KnownDefect


@dataclass(frozen=True)
class LineAt:
    """Where one of a device's lines ends: which device is its GPIO controller, and how the line is called there."""

    device: str
    line: str


@dataclass(frozen=True)
class Device:
    """One device of a board: its driver, its chip model on the twin, its exercisers."""

    name: str
    driver: str
    chip: str | None = None
    slot: int | None = None  # the twin's PCI slot behind which the chip's registers lie
    bus: str | None = None  # the device behind which the chip lies, and its address (chip select) there
    address: int | None = None
    compatible: str = ""  # what its devicetree node says, to tell a node that is not there from a driver that is not
    lines: Mapping[str, LineAt] = field(default_factory=dict)  # its reset, irq, …, each at a GPIO controller
    options: Mapping[str, Any] = field(default_factory=dict)  # given to the chip model
    devicetree: tuple[str, ...] = ()  # further properties of its node on the twin
    exercisers: tuple[str, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)  # defaults of the exercisers' calls
    limits: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Machine:
    """What QEMU is asked for: `-M`, `-cpu`, `-smp`, `-m`."""

    machine: str = "virt,highmem=off"
    cpu: str = "cortex-a15"
    cpus: int = 2
    memory_mb: int = 512


@dataclass(frozen=True)
class Board:
    """A kind of hardware, described by data."""

    name: str
    folder: Path
    description: str
    compatible: str
    twin: Machine | None
    devices: tuple[Device, ...]
    architecture: str = "arm"  # the kernel's ARCH
    toolchain: str = "arm-linux-gnueabihf-"  # its CROSS_COMPILE
    devicetrees: tuple[str, ...] = ()  # of the board itself, in arch/<architecture>/boot/dts; built with the kernel
    cables: Mapping[str, str] = field(default_factory=dict)  # a cable's name → the device that it is plugged into
    known_defects: tuple[KnownDefect, ...] = ()

    @property
    def replicable(self) -> bool:
        """Whether several of it can run at once: a machine in QEMU can, a board on a bench is one."""
        return self.twin is not None

    def with_exerciser(self, name: str) -> tuple[Device, ...]:
        """The devices that exerciser `name` is for."""
        return tuple(d for d in self.devices if name in d.exercisers)

    def drivers_of(self, devices: Iterable[str]) -> frozenset[str]:
        """The kernel drivers that serve `devices` (names): their own, and those of the buses they are on."""
        return frozenset(device.driver for name in devices for device in self._up_from(name))

    def _up_from(self, name: str | None) -> Iterator[Device]:
        by_name = {device.name: device for device in self.devices}
        while name in by_name:
            yield by_name[name]
            name = by_name.pop(name).bus
