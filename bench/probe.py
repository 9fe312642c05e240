"""What a board should have beside what the running kernel shows: the first look at a new board.

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
Found = Mapping[str, Any]  # a device, a node, a module, as the target told


@dataclass(frozen=True)
class Part:
    """A device of the board and what became of it; `why` and `fix` are for a person, empty when all is well."""

    name: str
    state: str
    driver: str = ""  # that it should have
    place: str = ""  # the kernel's name for it: bus and device
    has: str = ""  # the driver that it has
    why: str = ""
    fix: str = ""
    behind: tuple[Part, ...] = ()  # the parts on its own bus

    @property
    def all(self) -> tuple[Part, ...]:
        """It and all that lies behind it."""
        return (self, *(part for child in self.behind for part in child.all))


@dataclass(frozen=True)
class Probe:
    """The comparison: the board's parts, devices that nobody drives, driven ones that board.yaml does not name."""

    parts: tuple[Part, ...] = ()
    idle: tuple[Part, ...] = ()
    extra: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[Part, ...]:
        """The board's parts, those behind others too."""
        return tuple(part for top in self.parts for part in top.all)

    @property
    def wrong(self) -> tuple[Part, ...]:
        """The board's parts that do not have their driver."""
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
    """Ask the target, which must run, and compare.  Raises BenchError when it cannot be asked."""
    kernel = rig.exerciser("kernel")
    waiting = kernel.deferred().value
    seen = Kernel(kernel.devices().value, kernel.nodes().value, waiting or {}, kernel.lost_files().value)
    first = compare(rig.board, seen)
    if first.wrong:  # only now is it worth the time to ask why
        aliases = sorted({device["modalias"] for device in seen.devices if device["modalias"] and not device["driver"]})
        seen = replace(seen, modules=kernel.modules_for(aliases=aliases).value, log=_log(kernel))
        first = compare(rig.board, seen)
    note = "debugfs does not tell which devices wait: mount it, or run as root"
    return first if waiting is not None else replace(first, notes=(*first.notes, note))


def attempt(rig: Rig) -> Probe:
    """As `probe`, for a run that has other things to do: a failure is noted in the comparison."""
    try:
        return probe(rig)
    except BenchError as e:
        return Probe(notes=(f"the devices could not be compared: {str(e).splitlines()[0]}",))


def _log(kernel: Any) -> tuple[str, ...]:
    records = kernel.kmsg(since=0).value["records"]
    return tuple(r["text"] for r in records if r["facility"] == 0 and r["level"] <= WARNING)


@dataclass(frozen=True)
class Kernel:
    """What the target told; modules (modalias → those that know it) and log only where something is wrong."""

    devices: Sequence[Found]
    nodes: Sequence[Found]
    deferred: Mapping[str, str]
    lost_files: Sequence[Found] = ()
    modules: Mapping[str, Sequence[Found]] | None = None
    log: tuple[str, ...] = ()

    def compatible(self, device: Found) -> tuple[str, ...]:
        """What the device's node says it is, best first."""
        return next((tuple(n["compatible"]) for n in self.nodes if n["path"] == device["node"]), ())


def compare(board: Board, kernel: Kernel) -> Probe:
    """Compare without asking anybody."""
    found: dict[str, Found] = {}
    for device in sorted(board.devices, key=lambda d: _depth(board, d)):
        here = _locate(device, kernel, found)
        if here is not None:
            found[device.name] = here
    parts = {d.name: _part(d, found.get(d.name), board, kernel, found) for d in board.devices}

    def grown(device: Device) -> Part:
        return replace(parts[device.name], behind=tuple(grown(d) for d in board.devices if d.bus == device.name))

    taken = {here["path"] for here in found.values()}
    rest = [d for d in kernel.devices if d["path"] not in taken and d["modalias"]]
    return Probe(
        tuple(grown(d) for d in board.devices if not d.bus),
        tuple(_grouped(_idle(d, kernel) for d in rest if not d["driver"])),
        tuple(Part(d["name"], BOUND, place=_place(d), has=d["driver"]) for d in rest if d["driver"]),
    )


def _depth(board: Board, device: Device) -> int:
    """0 for a device of its own, more for those behind others: buses are found before what lies on them."""
    over = next((d for d in board.devices if d.name == device.bus), None)
    return 0 if over is None else 1 + _depth(board, over)


def _locate(device: Device, kernel: Kernel, found: Mapping[str, Found]) -> Found | None:
    """The kernel's device that stands for the board's: by bus and address, slot, ids, node, or driver."""
    free = [d for d in kernel.devices if d["path"] not in {f["path"] for f in found.values()}]
    if device.bus is not None and device.address is not None:
        over = found.get(device.bus)
        ends = (f".{device.address}", f"-{device.address:04x}")  # spi0.1, 0-0048
        behind = [d for d in free if over and d["path"].startswith(over["path"] + "/") and d["bus"] in ("spi", "i2c")]
        return next((d for d in behind if d["name"].endswith(ends)), None)
    ids = [device.arguments.get(key) for key in ("vendor", "product")]
    usb = f"usb:v{ids[0]:04X}p{ids[1]:04X}" if all(isinstance(i, int) for i in ids) else None
    rules: tuple[Callable[[Found], bool], ...] = (
        lambda d: device.slot is not None and d["name"] == f"0000:00:{device.slot:02x}.0" and _same(d, device),
        lambda d: usb is not None and d["modalias"].startswith(usb),
        lambda d: bool(device.compatible) and device.compatible in kernel.compatible(d) and bool(d["modalias"]),
        lambda d: not device.compatible and _same(d, device),
        lambda d: not device.compatible and not d["driver"] and _known_by(device, d, kernel),
    )
    return next((d for rule in rules for d in free if rule(d)), None)


def _words(name: str) -> frozenset[str]:
    return frozenset(re.split(r"[-_]", name))


def _same(found: Found, device: Device) -> bool:
    return bool(found["driver"]) and _words(found["driver"]) == _words(device.driver)


def _known_by(device: Device, found: Found, kernel: Kernel) -> bool:
    """Whether a module that is called as the board's driver knows the device."""
    modules = (kernel.modules or {}).get(found["modalias"], ())
    return any(_words(str(m["name"])) == _words(device.driver) for m in modules)


def _part(device: Device, here: Found | None, board: Board, kernel: Kernel, found: Mapping[str, Found]) -> Part:
    """What became of one device of the board."""
    if here is None:
        return _absent(device, kernel, found)
    part = Part(device.name, UNBOUND, device.driver, _place(here), here["driver"])
    if _same(here, device):
        return _opened(replace(part, state=BOUND), here, kernel)
    if here["driver"]:
        return replace(part, state=OTHER, why=f"{here['driver']} has it, not {device.driver}",
                       fix=f"echo {here['name']} > /sys/bus/{here['bus']}/drivers/{here['driver']}/unbind, "
                           f"then bind it to {device.driver}")
    if here["name"] in kernel.deferred:
        why = kernel.deferred[here["name"]] or "the driver did not say for what"
        return replace(part, state=DEFERRED, why=f"its probe waits: {why}",
                       fix="see to what it waits for (a clock, a GPIO controller, a regulator) first")
    why, fix = _undriven(device, here, kernel)
    return replace(part, why=why, fix=fix)


def _opened(part: Part, here: Found, kernel: Kernel) -> Part:
    """A bound part, or what keeps programs from it: a file of its own, not of a device behind it."""
    below = here["path"] + "/"
    others = tuple(d["path"] + "/" for d in kernel.devices
                   if d["driver"] and d["path"].startswith(below) and d["bus"] not in ("serial-base", "hid"))
    own = [f for f in kernel.lost_files if f["path"].startswith(below) and not f["path"].startswith(others)]
    if not own:
        return part
    fix = ("mount -t devtmpfs devtmpfs /dev, or have udev make it" if own[0]["why"] == "it is not there" else
           "run the agent as root, or give its user leave (a udev rule, a group)")
    return replace(part, state=NO_FILE, why=f"{own[0]['file']}: {own[0]['why']}", fix=fix)


def _undriven(device: Device, here: Found, kernel: Kernel) -> tuple[str, str]:
    """Why a device that is there has no driver, and what to do."""
    says = kernel.compatible(here)
    if device.compatible and says and device.compatible not in says:
        return (f"its node {here['node']} says {', '.join(says)}, not {device.compatible}",
                "correct compatible in the devicetree, or in board.yaml")
    modules = (kernel.modules or {}).get(here["modalias"], ())
    waiting = [m for m in modules if not m["loaded"]]
    if modules and len(waiting) == len(modules):
        name, place = waiting[0]["name"], waiting[0]["forbidden"]
        if place:
            return f"its module {name} is kept out by {place}", f"take {name} out of there, or modprobe {name}"
        return f"its module {name} is not loaded", f"modprobe {name}"
    said = [line for line in kernel.log if re.search(rf"\b{re.escape(here['name'])}\b", line)]
    again = f"echo {here['name']} > /sys/bus/{here['bus']}/drivers/{device.driver}/bind tries again"
    if said:
        return f"its probe failed: {'; '.join(said[-2:])}", f"is the chip there, powered and wired? {again}"
    if modules or not here["modalias"]:
        return "its driver is there and did not take it; the kernel's log does not say why", again
    return (f"no module of this kernel knows {here['modalias']}",
            f"build {device.driver} (kernel.config), or correct the node's compatible")


def _absent(device: Device, kernel: Kernel, found: Mapping[str, Found]) -> Part:
    """A device of the board that the kernel does not show."""
    part = Part(device.name, MISSING, device.driver)
    if device.bus and device.bus not in found:
        return replace(part, why=f"it lies behind {device.bus}, which is not there", fix=f"see to {device.bus} first")
    if device.bus and not found[device.bus]["driver"]:
        return replace(part, why=f"it lies behind {device.bus}, which has no driver", fix=f"see to {device.bus} first")
    taken = {f["node"] for f in found.values()}
    nodes = [n for n in kernel.nodes if n["path"] not in taken]
    node = next((n for n in nodes if device.compatible and device.compatible in n["compatible"]), None)
    if node and node["status"] not in ("okay", "ok"):
        return replace(part, state=DISABLED, why=f"its node {node['path']} has status {node['status']}",
                       fix='status = "okay" in the devicetree')
    if node:
        return replace(part, why=f"its node {node['path']} is there, and the kernel made no device of it",
                       fix="has the bus above it a driver? are reg and the other properties right?")
    where = f"at {device.bus} {device.address:#x}" if device.bus and device.address is not None else ""
    if not device.compatible:
        return replace(part, why=f"no device {where or f'has the driver {device.driver}'}",
                       fix="is it plugged in and powered? is its module loaded, its node in the devicetree?")
    free = [d for d in kernel.devices if not d["driver"] and d["node"] not in taken]
    others = {words[0]: d for d in free if (words := kernel.compatible(d))}
    near = difflib.get_close_matches(device.compatible, others, n=1, cutoff=0.7)
    hint = f"; {others[near[0]]['node']} says {near[0]}, which nobody drives: is that it?" if near else ""
    return replace(part, why=f"no node of the devicetree says {device.compatible}{hint}",
                   fix="is this the board's devicetree? correct the node, or board.yaml")


def _place(device: Found) -> str:
    return f"{device['bus']} {device['name']}"


def _idle(device: Found, kernel: Kernel) -> Part:
    """A device that board.yaml does not name and nobody drives."""
    says = ", ".join(kernel.compatible(device)) or device["modalias"]
    modules = [str(m["name"]) for m in (kernel.modules or {}).get(device["modalias"], ())]
    why = f"waits: {kernel.deferred[device['name']]}" if device["name"] in kernel.deferred else says
    fix = f"modprobe {modules[0]}" if modules else ""
    return Part(device["name"], DEFERRED if device["name"] in kernel.deferred else UNBOUND, place=_place(device),
                why=why, fix=fix)


def _grouped(parts: Iterable[Part]) -> Iterable[Part]:
    """Several that are alike become one."""
    alike: dict[tuple[str, str, str], list[Part]] = {}
    for part in parts:
        alike.setdefault((part.state, part.why, part.fix), []).append(part)
    for same in alike.values():
        more = f" and {len(same) - 1} like it" if len(same) > 1 else ""
        yield replace(same[0], place=same[0].place + more)
