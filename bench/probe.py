"""Compare a board's devices with what the running kernel shows: the first step with a new board.

The board's side is board.yaml; the kernel's is what drivers/kernel/probe.py reads of sysfs, the devicetree and debugfs.
"""
from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from bench.board import Board, Device
from bench.errors import BenchError

if TYPE_CHECKING:  # what is compared here is read without a board, too: no labgrid then
    from bench.rig import Rig

BOUND, DEFERRED, UNBOUND, OTHER = "bound", "deferred", "no driver", "another driver"
DISABLED, MISSING, NO_FILE = "disabled", "missing", "no device file"
WARNING = 4  # the kernel log's level up to which a line may say why a probe failed
Row = Mapping[str, Any]  # a device, a node, a module, as the target reported it


@dataclass(frozen=True)
class Part:
    """A device of the board and its state; `why` and `fix` are texts, empty when it is as it should be."""

    name: str
    state: str
    driver: str = ""  # expected
    place: str = ""  # the kernel's name for it: bus and device
    has: str = ""  # bound
    why: str = ""
    fix: str = ""
    behind: tuple[Part, ...] = ()  # the parts on its own bus

    @property
    def all(self) -> tuple[Part, ...]:
        """The device and everything on its bus."""
        return (self, *(part for child in self.behind for part in child.all))


@dataclass(frozen=True)
class Probe:
    """The comparison: the board's devices, devices without a driver, bound devices that board.yaml does not list."""

    parts: tuple[Part, ...] = ()
    idle: tuple[Part, ...] = ()
    extra: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[Part, ...]:
        """The board's devices, including those on other devices' buses."""
        return tuple(part for top in self.parts for part in top.all)

    @property
    def wrong(self) -> tuple[Part, ...]:
        """The board's devices that do not have their driver."""
        return tuple(part for part in self.all if part.state != BOUND)

    @property
    def headline(self) -> str:
        """The comparison in a sentence."""
        if self.wrong:
            return f"{len(self.wrong)} of {len(self.all)} devices do not have their driver."
        return f"All {len(self.all)} devices have their driver."

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"whole": not self.wrong, **asdict(self)}


def probe(rig: Rig) -> Probe:
    """Read the running target and compare.  Raises BenchError when it does not answer."""
    kernel = rig.exerciser("kernel")
    waiting = kernel.deferred().value
    reported = Kernel(kernel.devices().value, kernel.nodes().value, waiting or {}, kernel.lost_files().value)
    comparison = compare(rig.board, reported)
    if comparison.wrong:  # the reasons take time to read
        aliases = sorted({d["modalias"] for d in reported.devices if d["modalias"] and not d["driver"]})
        reported = replace(reported, modules=kernel.modules_for(aliases=aliases).value, log=_log(kernel))
        comparison = compare(rig.board, reported)
    note = "debugfs does not show deferred devices: mount it, or run as root"
    return comparison if waiting is not None else replace(comparison, notes=(*comparison.notes, note))


def attempt(rig: Rig) -> Probe:
    """As `probe`, but a failure becomes a note in the comparison: the run continues."""
    try:
        return probe(rig)
    except BenchError as e:
        return Probe(notes=(f"the devices could not be compared: {str(e).splitlines()[0]}",))


def _log(kernel: Any) -> tuple[str, ...]:
    records = kernel.kmsg(since=0).value["records"]
    return tuple(r["text"] for r in records if r["facility"] == 0 and r["level"] <= WARNING)


@dataclass(frozen=True)
class Kernel:
    """What the target reported; modules (modalias → those that match it) and log only where something is wrong."""

    devices: Sequence[Row]
    nodes: Sequence[Row]
    deferred: Mapping[str, str]
    lost_files: Sequence[Row] = ()
    modules: Mapping[str, Sequence[Row]] | None = None
    log: tuple[str, ...] = ()

    def compatible(self, device: Row) -> tuple[str, ...]:
        """The compatible strings of the device's node, most specific first."""
        return next((tuple(n["compatible"]) for n in self.nodes if n["path"] == device["node"]), ())


def compare(board: Board, kernel: Kernel) -> Probe:
    """Compare, without a target."""
    located: dict[str, Row] = {}
    for device in sorted(board.devices, key=lambda d: _depth(board, d)):
        here = _locate(device, kernel, located)
        if here is not None:
            located[device.name] = here
    parts = {d.name: _part(d, located.get(d.name), board, kernel, located) for d in board.devices}

    def grown(device: Device) -> Part:
        return replace(parts[device.name], behind=tuple(grown(d) for d in board.devices if d.bus == device.name))

    taken = {here["path"] for here in located.values()}
    rest = [d for d in kernel.devices if d["path"] not in taken and d["modalias"]]
    return Probe(
        tuple(grown(d) for d in board.devices if not d.bus),
        tuple(_grouped(_idle(d, kernel) for d in rest if not d["driver"])),
        tuple(Part(d["name"], BOUND, place=_place(d), has=d["driver"]) for d in rest if d["driver"]),
    )


def _depth(board: Board, device: Device) -> int:
    """Depth of a device below other devices' buses: a bus is located before its devices."""
    over = next((d for d in board.devices if d.name == device.bus), None)
    return 0 if over is None else 1 + _depth(board, over)


def _locate(device: Device, kernel: Kernel, located: Mapping[str, Row]) -> Row | None:
    """The kernel's device for one of the board's: matched by bus and address, slot, ids, node, or driver."""
    free = [d for d in kernel.devices if d["path"] not in {f["path"] for f in located.values()}]
    if device.bus is not None and device.address is not None:
        over = located.get(device.bus)
        ends = (f".{device.address}", f"-{device.address:04x}")  # spi0.1, 0-0048
        behind = [d for d in free if over and d["path"].startswith(over["path"] + "/") and d["bus"] in ("spi", "i2c")]
        return next((d for d in behind if d["name"].endswith(ends)), None)
    ids = [device.arguments.get(key) for key in ("vendor", "product")]
    usb = f"usb:v{ids[0]:04X}p{ids[1]:04X}" if all(isinstance(i, int) for i in ids) else None
    rules: tuple[Callable[[Row], bool], ...] = (
        lambda d: device.slot is not None and d["name"] == f"0000:00:{device.slot:02x}.0" and _same(d, device),
        lambda d: usb is not None and d["modalias"].startswith(usb),
        lambda d: bool(device.compatible) and device.compatible in kernel.compatible(d) and bool(d["modalias"]),
        lambda d: not device.compatible and _same(d, device),
        lambda d: not device.compatible and not d["driver"] and _known_by(device, d, kernel),
    )
    return next((d for rule in rules for d in free if rule(d)), None)


def _words(name: str) -> frozenset[str]:
    return frozenset(re.split(r"[-_]", name))


def _same(located: Row, device: Device) -> bool:
    return bool(located["driver"]) and _words(located["driver"]) == _words(device.driver)


def _known_by(device: Device, located: Row, kernel: Kernel) -> bool:
    """Whether a module named as the board's driver matches the device."""
    modules = (kernel.modules or {}).get(located["modalias"], ())
    return any(_words(str(m["name"])) == _words(device.driver) for m in modules)


def _part(device: Device, here: Row | None, board: Board, kernel: Kernel, located: Mapping[str, Row]) -> Part:
    """The state of one device of the board."""
    if here is None:
        return _absent(device, kernel, located)
    part = Part(device.name, UNBOUND, device.driver, _place(here), here["driver"])
    if _same(here, device):
        return _accessible(replace(part, state=BOUND), here, kernel)
    if here["driver"]:
        return replace(part, state=OTHER, why=f"it is bound to {here['driver']}, expected {device.driver}",
                       fix=f"echo {here['name']} > /sys/bus/{here['bus']}/drivers/{here['driver']}/unbind, "
                           f"then bind it to {device.driver}")
    if here["name"] in kernel.deferred:
        why = kernel.deferred[here["name"]] or "the driver gave no reason"
        return replace(part, state=DEFERRED, why=f"its probe is deferred: {why}",
                       fix="provide what it waits for (a clock, a GPIO controller, a regulator)")
    why, fix = _undriven(device, here, kernel)
    return replace(part, why=why, fix=fix)


def _accessible(part: Part, here: Row, kernel: Kernel) -> Part:
    """Check that programs can open a bound device's own files (not those of devices on its bus)."""
    below = here["path"] + "/"
    others = tuple(d["path"] + "/" for d in kernel.devices
                   if d["driver"] and d["path"].startswith(below) and d["bus"] not in ("serial-base", "hid"))
    own = [f for f in kernel.lost_files if f["path"].startswith(below) and not f["path"].startswith(others)]
    if not own:
        return part
    fix = ("mount -t devtmpfs devtmpfs /dev, or have udev make it" if own[0]["why"] == "it is not there" else
           "run the agent as root, or give its user permission (a udev rule, a group)")
    return replace(part, state=NO_FILE, why=f"{own[0]['file']}: {own[0]['why']}", fix=fix)


def _undriven(device: Device, here: Row, kernel: Kernel) -> tuple[str, str]:
    """Why a present device has no driver, and what to do."""
    strings = kernel.compatible(here)
    if device.compatible and strings and device.compatible not in strings:
        return (f"its node {here['node']} has compatible {', '.join(strings)}, expected {device.compatible}",
                "correct compatible in the devicetree, or in board.yaml")
    modules = (kernel.modules or {}).get(here["modalias"], ())
    waiting = [m for m in modules if not m["loaded"]]
    if modules and len(waiting) == len(modules):
        name, place = waiting[0]["name"], waiting[0]["forbidden"]
        if place:
            return f"its module {name} is blacklisted in {place}", f"remove it there, or modprobe {name}"
        return f"its module {name} is not loaded", f"modprobe {name}"
    lines = [line for line in kernel.log if re.search(rf"\b{re.escape(here['name'])}\b", line)]
    again = f"then retry: echo {here['name']} > /sys/bus/{here['bus']}/drivers/{device.driver}/bind"
    if lines:
        why = f"its probe failed: {'; '.join(lines[-2:])}"
        return why, f"check that the chip is present, powered and wired, {again}"
    if modules or not here["modalias"]:
        return "its driver is loaded and did not bind to it; the kernel log has no reason", again.removeprefix("then ")
    return (f"no module of this kernel matches {here['modalias']}",
            f"build {device.driver} (kernel.config), or correct the node's compatible")


def _absent(device: Device, kernel: Kernel, located: Mapping[str, Row]) -> Part:
    """A device of the board that the kernel does not have."""
    part = Part(device.name, MISSING, device.driver)
    if device.bus and device.bus not in located:
        return replace(part, why=f"it is on {device.bus}, which is missing", fix=f"fix {device.bus} first")
    if device.bus and not located[device.bus]["driver"]:
        return replace(part, why=f"it is on {device.bus}, which has no driver", fix=f"fix {device.bus} first")
    taken = {f["node"] for f in located.values()}
    nodes = [n for n in kernel.nodes if n["path"] not in taken]
    node = next((n for n in nodes if device.compatible and device.compatible in n["compatible"]), None)
    if node and node["status"] not in ("okay", "ok"):
        return replace(part, state=DISABLED, why=f"its node {node['path']} has status {node['status']}",
                       fix='status = "okay" in the devicetree')
    if node:
        return replace(part, why=f"its node {node['path']} exists, but the kernel created no device for it",
                       fix="check that the bus above it has a driver, and reg and its other properties")
    where = f"at {device.bus} {device.address:#x}" if device.bus and device.address is not None else ""
    if not device.compatible:
        return replace(part, why=f"no device {where or f'has the driver {device.driver}'}",
                       fix="is it plugged in and powered? is its module loaded, its node in the devicetree?")
    free = [d for d in kernel.devices if not d["driver"] and d["node"] not in taken]
    others = {words[0]: d for d in free if (words := kernel.compatible(d))}
    near = difflib.get_close_matches(device.compatible, others, n=1, cutoff=0.7)
    hint = f"; {others[near[0]]['node']} is {near[0]}, which has no driver: is that it?" if near else ""
    return replace(part, why=f"no devicetree node has compatible {device.compatible}{hint}",
                   fix="is this the board's devicetree? correct the node, or board.yaml")


def _place(device: Row) -> str:
    return f"{device['bus']} {device['name']}"


def _idle(device: Row, kernel: Kernel) -> Part:
    """A device without a driver that board.yaml does not list."""
    strings = ", ".join(kernel.compatible(device)) or device["modalias"]
    modules = [str(m["name"]) for m in (kernel.modules or {}).get(device["modalias"], ())]
    why = f"deferred: {kernel.deferred[device['name']]}" if device["name"] in kernel.deferred else strings
    fix = f"modprobe {modules[0]}" if modules else ""
    return Part(device["name"], DEFERRED if device["name"] in kernel.deferred else UNBOUND, place=_place(device),
                why=why, fix=fix)


def _grouped(parts: Iterable[Part]) -> Iterable[Part]:
    """Merge devices that are alike."""
    alike: dict[tuple[str, str, str], list[Part]] = {}
    for part in parts:
        alike.setdefault((part.state, part.why, part.fix), []).append(part)
    for same in alike.values():
        more = f" and {len(same) - 1} like it" if len(same) > 1 else ""
        yield replace(same[0], place=same[0].place + more)
