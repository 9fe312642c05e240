"""Boards as data: `boards/<name>/board.yaml` read into frozen values.

Every mistake is reported as `file:line: key: what was expected`, before anything starts.
"""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import paths
from bench.board import defects, section
from bench.board.model import Board, Device, LineAt, Machine
from bench.board.section import Section
from bench.errors import UsageError


def names() -> list[str]:
    """Names of all boards, found by being there; a link to one is a former name of it, and no board of its own."""
    return sorted(p.parent.name for root in paths.roots() for p in root.glob("boards/*/board.yaml")
                  if not p.parent.is_symlink())


def folder_of(name: str) -> Path:
    """The folder of board `name`, or of a path to one; it need not be there."""
    if "/" in name:
        return Path(name)
    folders = [root / "boards" / name for root in paths.roots()]
    return next((folder for folder in folders if folder.is_dir()), folders[0])


def load(name: str, known_exercisers: frozenset[str] | None = None, known_chips: frozenset[str] | None = None) -> Board:
    """Read board `name`, or a path of a board's folder that lies elsewhere.

    Raises UsageError for an unknown name, BoardError with file:line: key for a mistake.
    """
    folder = folder_of(name)
    path = folder / "board.yaml"
    if not path.is_file():
        raise UsageError.unknown("board", name, names())
    return _Reader(path, known_exercisers, known_chips).board(folder)


class _Reader:
    def __init__(self, path: Path, exercisers: frozenset[str] | None, chips: frozenset[str] | None) -> None:
        self.path, self.exercisers, self.chips = path, exercisers, chips

    def board(self, folder: Path) -> Board:
        top = section.read(self.path)
        board = Board(
            name=folder.resolve().name,
            folder=folder,
            description=top.text("description", "a sentence"),
            compatible=top.text("compatible", "the board's devicetree compatible, e.g. samsung,smdkv210"),
            twin=self._machine(top.section("twin")),
            devices=self._devices(top),
            architecture=top.take("architecture", str, "the kernel's ARCH, as arm", "arm") or "arm",
            toolchain=top.take("toolchain", str, "the kernel's CROSS_COMPILE, as arm-linux-gnueabihf-",
                               "arm-linux-gnueabihf-") or "",
            devicetrees=self._devicetrees(top),
            cables=self._cables(top),
            known_defects=tuple(map(defects.read, top.items("known_defects", "{check, reason}"))),
        )
        top.done("description, compatible, architecture, toolchain, devicetrees, twin, cables, devices, "
                 "known_defects")
        return board

    def _devicetrees(self, top: Section) -> tuple[str, ...]:
        names = top.words("devicetrees", "devicetree blobs")
        if wrong := [name for name in names if not name.endswith(".dtb") or name.startswith("/") or ".." in name]:
            raise top.error("devicetrees", f"expected a .dtb of arch/<architecture>/boot/dts, found {wrong[0]!r}")
        return names

    def _cables(self, top: Section) -> dict[str, str]:
        """`cable: ethernet`: an Ethernet cable's name, and the device that it is plugged into."""
        at = top.section("cables")
        cables: dict[str, str] = {}
        devices = top.data.get("devices") or {}
        for name in map(str, at.data) if at else ():
            assert at is not None
            device = at.text(name, "a device's name")
            if device not in devices:
                raise at.error(name, str(UsageError.unknown("device", device, map(str, devices))))
            if device in cables.values():
                raise at.error(name, f"another cable is plugged into {device} already")
            if name in {devices[d].get("chip") for d in devices}:
                raise at.error(name, "a chip of this board has that name; faults are switched on by these names")
            cables[name] = device
        return cables

    def _machine(self, at: Section | None) -> Machine | None:
        if at is None:
            return None
        d = Machine()
        machine = Machine(
            machine=at.take("machine", str, "a QEMU machine", d.machine) or d.machine,
            cpu=at.take("cpu", str, "a QEMU cpu", d.cpu) or d.cpu,
            cpus=self._whole(at, "cpus", d.cpus, 1, 4),
            memory_mb=self._whole(at, "memory_mb", d.memory_mb, 128, 2048),
        )
        at.done("machine, cpu, cpus, memory_mb")
        return machine

    def _whole(self, at: Section, key: str, default: int, low: int, high: int) -> int:
        value = at.take(key, int, f"a whole number from {low} to {high}", default)
        assert value is not None
        if not low <= value <= high:
            raise at.error(key, f"expected a whole number from {low} to {high}, found {value}")
        return value

    def _devices(self, top: Section) -> tuple[Device, ...]:
        section = top.section("devices")
        if section is None:
            raise top.error("devices", "missing; expected a mapping of device name: {driver: …}")
        devices = tuple(self._device(section, str(name)) for name in section.data)
        for device in devices:
            if device.bus is not None and device.bus not in {other.name for other in devices}:
                at = section.section(device.name)
                assert at is not None
                raise at.error("bus", str(UsageError.unknown("device", device.bus, (other.name for other in devices))))
        self._check_lines(section, {device.name: device for device in devices})
        return devices

    def _device(self, devices: Section, name: str) -> Device:
        at = devices.section(name)
        assert at is not None
        exercisers = at.words("exercisers", "exerciser names")
        chip = at.take("chip", str, "the name of a folder in fixtures/chips")
        self._known(at, "exercisers", exercisers, self.exercisers, "exerciser")
        self._known(at, "chip", (chip,) if chip else (), self.chips, "chip")
        slot = self._whole(at, "slot", 0, 1, 31) if "slot" in at.data else None
        options, arguments, limits = (at.section(k) for k in ("options", "arguments", "limits"))
        for key in limits.data if limits else ():
            assert limits is not None
            limits.take(str(key), (int, float), "a number")  # type: ignore[arg-type]  # isinstance takes a tuple
        device = Device(
            name=name, driver=at.text("driver", "the kernel driver's name"), chip=chip, slot=slot,
            compatible=at.take("compatible", str, "what its devicetree node says", "") or "",
            bus=at.take("bus", str, "a device's name"), address=at.take("address", int, "a whole number"),
            lines=self._lines(at.section("lines")), options=_plain(options),
            devicetree=at.words("devicetree", "devicetree properties"), exercisers=exercisers,
            arguments=_plain(arguments), limits=_plain(limits),
        )
        at.done("driver, compatible, chip, slot, bus, address, lines, options, devicetree, exercisers, arguments, "
                "limits")
        return device

    def _lines(self, at: Section | None) -> dict[str, LineAt]:
        """`reset: "gpio:gph0-3"`: the device that is the controller, and the line's name there."""
        found = {}
        for key in map(str, at.data) if at else ():
            assert at is not None
            what = "controller:line, as gpio:gph0-3"
            controller, _, line = at.text(key, what).partition(":")
            if not controller or not line:
                raise at.error(key, f"expected {what}, found {at.data[key]!r}")
            found[key] = LineAt(controller, line)
        return found

    def _check_lines(self, section: Section, devices: Mapping[str, Device]) -> None:
        """Each line ends at a controller that is there, at a line that it has and that no other one uses."""
        used: dict[LineAt, str] = {}
        for device in devices.values():
            for key, where in device.lines.items():
                at = Section(self.path, section.data[device.name]["lines"], f"devices.{device.name}.lines", 1)
                if where.device not in devices:
                    raise at.error(key, str(UsageError.unknown("device", where.device, devices)))
                having = devices[where.device].options.get("lines")  # a model's; a real controller has its own
                if having is not None and where.line not in having:
                    raise at.error(key, str(UsageError.unknown(f"line of {where.device}", where.line, having)))
                if where in used:
                    raise at.error(key, f"line {where.line} of {where.device} is used by {used[where]} already")
                used[where] = f"devices.{device.name}.lines.{key}"

    def _known(self, at: Section, key: str, found: tuple[str, ...], known: frozenset[str] | None, kind: str) -> None:
        for name in found if known is not None else ():
            if name not in (known or ()):
                raise at.error(key, str(UsageError.unknown(kind, name, known or ())))

def _plain(section: Section | None) -> dict[str, Any]:
    return {str(k): v for k, v in section.data.items()} if section else {}
