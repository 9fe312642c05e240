"""The twin's devicetree: QEMU's own, with a node for each chip, as the board's devicetree would have it.

Each chip's registers are BAR 0 of a PCI function; an ordinary platform node points into that window.
The nodes are templates, not overlays (fdtoverlay): an overlay cannot take the address and the interrupt that the twin
assigns, and QEMU's tree has no __symbols__ for its fragments to refer to.
"""
from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.board import Board, Device
from bench.errors import TwinError
from fixtures.chip import Chip

PCI_WINDOW = 0x1000_0000  # start of the 32-bit MMIO window of QEMU's virt machine (hw/arm/virt.c, VIRT_PCIE_MMIO)
BAR_SIZE = 0x1_0000  # larger than QEMU's own devices': Linux places the largest first, so the chips' come at the start
FIRST_PCI_SPI = 3  # GIC SPI of INTA of slot 0; slots share four lines (hw/arm/virt.c, VIRT_PCIE)


@dataclass(frozen=True)
class Place:
    """Where a chip's registers and interrupt lie on the twin."""

    device: Device
    address: int
    spi: int


def places(board: Board) -> tuple[Place, ...]:
    """Where each chip with a slot will be: Linux assigns equal BARs from the window's start, in slot order."""
    slotted = sorted((d for d in board.devices if d.slot is not None), key=lambda d: d.slot or 0)
    return tuple(
        Place(d, PCI_WINDOW + i * BAR_SIZE, FIRST_PCI_SPI + (d.slot or 0) % 4) for i, d in enumerate(slotted)
    )


def build(board: Board, models: Mapping[str, Chip], qemu: list[str], dtc: str, cache: Path) -> Path:
    """Return the devicetree blob for `board` with its chip `models`, made once for the same inputs."""
    fragments = [p.read_text() for p in sorted(board.folder.glob("*.dtsi"))]
    where = {place.device.name: (place.address, place.spi) for place in places(board)}
    for device in board.devices:
        if device.chip and not device.bus:
            fragments.append(_node(board, models, device, *where.get(device.name, (0, 0))))
    key = hashlib.sha256("\0".join([*qemu, dtc, *fragments]).encode()).hexdigest()[:16]
    blob = cache / f"{board.name}-{key}.dtb"
    if not blob.exists():
        cache.mkdir(parents=True, exist_ok=True)
        base = cache / f"{key}.base.dtb"
        first = qemu[: qemu.index("-M") + 1]
        machine = qemu[qemu.index("-M") + 1]
        rest = qemu[qemu.index("-M") + 2 :]
        _run([*first, f"{machine},dumpdtb={base}", *rest, "-display", "none"], "QEMU's own devicetree")
        source = _run([dtc, "-q", "-I", "dtb", "-O", "dts", str(base)], "reading QEMU's devicetree")
        text = source.decode() + "\n" + "\n".join(fragments)
        aside = blob.with_suffix(f".{key}.new")
        _run([dtc, "-q", "-I", "dts", "-O", "dtb", "-o", str(aside), "-"], "compiling the chips' nodes", text.encode())
        aside.rename(blob)
        base.unlink(missing_ok=True)
    return blob


def _node(board: Board, models: Mapping[str, Chip], device: Device, address: int, spi: int) -> str:
    """A chip's node with the nodes of the chips behind it inside."""
    behind = [_node(board, models, d, d.address or 0, 0) for d in board.devices if d.bus == device.name and d.chip]
    try:
        return models[device.name].devicetree(address, spi, [*device.devicetree, *behind])
    except ValueError as e:
        raise TwinError(str(e)) from e


def _run(command: list[str], what: str, data: bytes | None = None) -> bytes:
    done = subprocess.run(command, input=data, capture_output=True, timeout=30, check=False)
    if done.returncode:
        raise TwinError(f"devicetree: {what} failed: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout
