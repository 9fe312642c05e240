"""Boards as data: `boards/<name>/board.yaml` read into frozen values.

Every mistake is reported as `file:line: key: what was expected`, before anything starts.
"""
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from bench.errors import BoardError, UsageError

ROOT = Path(__file__).resolve().parent.parent
BOARDS = ROOT / "boards"
T = TypeVar("T")


@dataclass(frozen=True)
class LineAt:
    """Where one of a device's lines ends: which device is its GPIO controller, and how the line is called there."""

    device: str
    line: str


@dataclass(frozen=True)
class Device:
    """One device of a board: its driver, the chip that stands for it on the twin, who exercises it."""

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
class KnownDefect:
    """A defect of the kernel's driver that a check shows: it is reported, and does not fail the board."""

    check: str
    reason: str


@dataclass(frozen=True)
class Board:
    """A kind of hardware, described by data."""

    name: str
    folder: Path
    description: str
    compatible: str
    twin: Machine | None
    devices: tuple[Device, ...]
    known_defects: tuple[KnownDefect, ...] = ()

    def defect(self, check: str) -> KnownDefect | None:
        """The known defect that `check` (a node id, or its end) shows, or None.

        A defect's check may name cases, by a regular expression for how they begin: `test_name[case]`, or `[case]` for
        those of every check.
        """
        whole, _, case = check.partition("[")
        for defect in self.known_defects:
            name, _, of_case = defect.check.partition("[")
            if whole.endswith(name) and re.match(of_case.removesuffix("]"), case):
                return defect
        return None

    def with_exerciser(self, name: str) -> tuple[Device, ...]:
        """The devices that exerciser `name` is for."""
        return tuple(d for d in self.devices if name in d.exercisers)


def names() -> list[str]:
    """Names of all boards, found by being there; a link to one is a former name of it, and no board of its own."""
    return sorted(p.parent.name for p in BOARDS.glob("*/board.yaml") if not p.parent.is_symlink())


def load(name: str, known_exercisers: frozenset[str] | None = None, known_chips: frozenset[str] | None = None) -> Board:
    """Read board `name`, or a path of a board's folder that lies elsewhere.

    Raises UsageError for an unknown name, BoardError with file:line: key for a mistake.
    """
    folder = Path(name) if "/" in name else BOARDS / name
    path = folder / "board.yaml"
    if not path.is_file():
        raise UsageError.unknown("board", name, names())
    return _Reader(path, known_exercisers, known_chips).board(folder)


class _Section:
    """A mapping that knows where each of its keys stands, and that every key has been asked for."""

    def __init__(self, path: Path, data: Any, where: str, line: int) -> None:
        self.path, self.where, self.line = path, where, line
        if not isinstance(data, CommentedMap):
            raise BoardError(f"{path}:{line}: {where or 'top'}: expected a mapping of key: value")
        self.data = data
        self.left = {str(k) for k in data}

    def line_of(self, key: str) -> int:
        position = self.data.lc.data.get(key) if self.data.lc.data else None
        return int(position[0]) + 1 if position else self.line

    def error(self, key: str, expected: str) -> BoardError:
        dotted = f"{self.where}.{key}" if self.where else key
        return BoardError(f"{self.path}:{self.line_of(key)}: {dotted}: {expected}")

    def take(self, key: str, kind: type[T], what: str, default: T | None = None, required: bool = False) -> T | None:
        """The value of `key`, checked to be of `kind`; `what` says in words what was expected."""
        self.left.discard(key)
        if key not in self.data:
            if required:
                raise self.error(key, f"missing; expected {what}")
            return default
        value = self.data[key]
        if (isinstance(value, bool) and kind is not bool) or not isinstance(value, kind):
            raise self.error(key, f"expected {what}, found {value!r}")
        return value

    def text(self, key: str, what: str) -> str:
        value = self.take(key, str, what, required=True)
        assert value is not None
        return value

    def section(self, key: str) -> _Section | None:
        self.left.discard(key)
        if key not in self.data:
            return None
        dotted = f"{self.where}.{key}" if self.where else key
        return _Section(self.path, self.data[key], dotted, self.line_of(key))

    def words(self, key: str, what: str) -> tuple[str, ...]:
        value = self.take(key, list, f"a list of {what}", default=[]) or []
        if not all(isinstance(v, str) for v in value):
            raise self.error(key, f"expected a list of {what}, found {list(value)!r}")
        return tuple(value)

    def done(self, known: str) -> None:
        for key in sorted(self.left):
            raise self.error(key, f"unknown key; expected one of {known}")


class _Reader:
    def __init__(self, path: Path, exercisers: frozenset[str] | None, chips: frozenset[str] | None) -> None:
        self.path, self.exercisers, self.chips = path, exercisers, chips

    def board(self, folder: Path) -> Board:
        try:
            data = YAML(typ="rt").load(self.path.read_text("utf-8"))
        except MarkedYAMLError as e:
            line = e.problem_mark.line + 1 if e.problem_mark else 1
            raise BoardError(f"{self.path}:{line}: not YAML: {e.problem}") from e
        except UnicodeDecodeError as e:
            raise BoardError(f"{self.path}:1: not UTF-8 text: byte {e.start}") from e
        top = _Section(self.path, data, "", 1)
        board = Board(
            name=folder.resolve().name,
            folder=folder,
            description=top.text("description", "a sentence"),
            compatible=top.text("compatible", "the board's devicetree compatible, e.g. samsung,smdkv210"),
            twin=self._machine(top.section("twin")),
            devices=self._devices(top),
            known_defects=self._defects(top),
        )
        top.done("description, compatible, twin, devices, known_defects")
        return board

    def _machine(self, at: _Section | None) -> Machine | None:
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

    def _whole(self, at: _Section, key: str, default: int, low: int, high: int) -> int:
        value = at.take(key, int, f"a whole number from {low} to {high}", default)
        assert value is not None
        if not low <= value <= high:
            raise at.error(key, f"expected a whole number from {low} to {high}, found {value}")
        return value

    def _devices(self, top: _Section) -> tuple[Device, ...]:
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

    def _device(self, devices: _Section, name: str) -> Device:
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

    def _lines(self, at: _Section | None) -> dict[str, LineAt]:
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

    def _check_lines(self, section: _Section, devices: Mapping[str, Device]) -> None:
        """Each line ends at a controller that is there, at a line that it has and that no other one uses."""
        used: dict[LineAt, str] = {}
        for device in devices.values():
            for key, where in device.lines.items():
                at = _Section(self.path, section.data[device.name]["lines"], f"devices.{device.name}.lines", 1)
                if where.device not in devices:
                    raise at.error(key, str(UsageError.unknown("device", where.device, devices)))
                having = devices[where.device].options.get("lines")  # a model's; a real controller has its own
                if having is not None and where.line not in having:
                    raise at.error(key, str(UsageError.unknown(f"line of {where.device}", where.line, having)))
                if where in used:
                    raise at.error(key, f"line {where.line} of {where.device} is used by {used[where]} already")
                used[where] = f"devices.{device.name}.lines.{key}"

    def _known(self, at: _Section, key: str, found: tuple[str, ...], known: frozenset[str] | None, kind: str) -> None:
        for name in found if known is not None else ():
            if name not in (known or ()):
                raise at.error(key, str(UsageError.unknown(kind, name, known or ())))

    def _defects(self, top: _Section) -> tuple[KnownDefect, ...]:
        found = []
        items = top.take("known_defects", list, "a list of {check, reason}", default=[]) or []
        for i, item in enumerate(items):
            line = int(items.lc.item(i)[0]) + 1 if isinstance(items, CommentedSeq) else 1
            at = _Section(self.path, item, f"known_defects[{i}]", line)
            defect = KnownDefect(at.text("check", "a check's name"), at.text("reason", "why it fails"))
            try:
                re.compile(defect.check.partition("[")[2].removesuffix("]"))
            except re.error as e:
                raise at.error("check", f"expected a regular expression between [ and ]: {e}") from e
            found.append(defect)
            at.done("check, reason")
        return tuple(found)


def _plain(section: _Section | None) -> dict[str, Any]:
    return {str(k): v for k, v in section.data.items()} if section else {}
