"""One QEMU with its chips: start, stop, detect its death.   Facts: design of the chips' windows in devicetree.py"""
from __future__ import annotations

import contextlib
import inspect
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.board import Board, Device
from bench.errors import BoardError, TwinError, UsageError
from bench.setup import Artefacts
from bench.setup.cache import default_folder
from bench.twin import devicetree, supervisor
from bench.twin.qmp import Qmp
from fixtures import chips
from fixtures.cable import Cable
from fixtures.chip import Chip
from fixtures.line import Line
from fixtures.transports import Attachment, attach

PORTS = ("console", "agent", "qmp")
CONNECT_S = 5.0  # QEMU connects its ports while it reads its arguments


class Twin:
    """The virtual board: `on()`, `off()`, its chips and its cables, which outlive a power cycle."""

    def __init__(self, board: Board, artefacts: Artefacts) -> None:
        if board.twin is None:
            raise TwinError(f"board {board.name} has no twin: its board.yaml has no twin section")
        self.board, self.machine, self.artefacts = board, board.twin, artefacts
        self.cables = {name: Cable() for name in board.cables}
        plugged = {device: self.cables[name] for name, device in board.cables.items()}
        self.chips = {d.name: _make(d, plugged.get(d.name)) for d in board.devices if d.chip}
        for device in board.devices:
            if device.chip:
                self._wire(device, self.chips[device.name])
            for name, where in device.lines.items():
                self.chips[where.device].join(where.line, _line(device, self.chips[device.name], name))
        self.folder: Path | None = None
        self.console: socket.socket | None = None
        self.agent: socket.socket | None = None
        self.qmp: Qmp | None = None
        self.attachments: dict[str, Attachment] = {}
        self.power_on_ns = 0
        self._supervisor: subprocess.Popen[bytes] | None = None

    def _wire(self, device: Device, chip: Chip) -> None:
        """Attach a device's chip: behind its bus's chip, or in its slot."""
        at = f"board.yaml: devices.{device.name}"
        if not device.bus:
            if chip.transport == "pci_slot" and device.slot is None:
                raise BoardError(f"{at}: slot: missing; expected a PCI slot of the twin, for the registers of "
                                 f"{device.chip}, or bus and address of a chip behind another one")
            return
        try:
            if chip.transport:
                raise ValueError(f"a chip behind another one has transport = \"\" in its class, not {chip.transport!r}")
            self.chips[device.bus].connect(chip, device.address or 0)
        except (ValueError, NotImplementedError) as e:
            raise BoardError(f"{at}: chip {device.chip} behind {device.bus}: {e}") from e

    def on(self) -> None:
        """Start QEMU; returns when its console, agent port and monitor are connected.

        Raises TwinError with QEMU's own message when it exits instead.
        """
        if self._supervisor:
            return
        self.folder = Path(tempfile.mkdtemp(prefix="bench-twin-"))  # 0700, as mkdtemp makes it
        try:
            self._start(self.folder)
        except BaseException:
            self.off()
            raise

    def off(self) -> None:
        """Stop QEMU and remove its folder and sockets; does nothing when it is off."""
        if self.qmp:
            self.qmp.close()
        for port in (self.console, self.agent):
            if port:
                port.close()
        self.qmp = self.console = self.agent = None
        if self._supervisor:
            assert self._supervisor.stdin
            self._supervisor.stdin.close()  # the supervisor kills QEMU and removes the folder
            self._supervisor.wait()
            self._supervisor = None
        for attachment in self.attachments.values():
            attachment.stop()
        self.attachments = {}
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.folder = None

    @property
    def alive(self) -> bool:
        """Whether QEMU runs."""
        return self._supervisor is not None and self._supervisor.poll() is None

    def ends_within(self, seconds: float) -> bool:
        """Whether QEMU ends within `seconds`."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self._supervisor:
                self._supervisor.wait(seconds)
        return not self.alive

    def words(self) -> str:
        """QEMU's own output, for an error's text."""
        with contextlib.suppress(OSError, AttributeError):
            assert self.folder
            return (self.folder / "qemu.txt").read_text("utf-8", "replace").strip()
        return ""

    def death(self) -> TwinError:
        """The error with QEMU's exit status."""
        status = self._supervisor.wait(1) if self._supervisor else None
        return TwinError(f"QEMU ended with status {status}: {self.words() or 'no output; did the kernel panic?'}")

    def check_windows(self) -> None:
        """Compare each chip's BAR, as the kernel assigned it, with the devicetree.  Raises TwinError."""
        for place in devicetree.places(self.board):
            bar_address = getattr(self.attachments[place.device.name], "bar_address", None)
            if bar_address != place.address:
                raise TwinError(
                    f"chip {place.device.chip}: the devicetree has it at {place.address:#x}, "
                    f"the kernel put it at {'nothing' if bar_address is None else hex(bar_address)}"
                )

    def settle(self) -> None:
        """Wait until what the guest has written so far has reached the chips."""
        for attachment in self.attachments.values():
            attachment.settle()

    def chip_errors(self) -> list[str]:
        """Tracebacks of errors in the chips' own code, which are the bench's errors, never the driver's."""
        return [str(e) for attachment in self.attachments.values() for e in attachment.errors]

    def show_blocked_tasks(self) -> None:
        """Ask a hung kernel through its console for its blocked tasks and CPUs (SysRq w, l)."""
        for key in "wl":
            if self.qmp and self.console:
                self.qmp.command("chardev-send-break", id="console")
                self.console.sendall(key.encode())

    def _start(self, folder: Path) -> None:
        for chip in self.chips.values():
            chip.reset()  # all chips are powered on; QEMU resets only its own devices
        listeners = {port: _listen(folder / port) for port in PORTS}
        for device in self.board.devices:
            if device.chip and self.chips[device.name].transport:
                where = {"name": device.name, "slot": device.slot, "bar_size": devicetree.BAR_SIZE}
                attachment = attach(self.chips[device.name], str(folder), **where)
                self.attachments[device.name] = attachment
                attachment.start()
        command = self._command(folder)
        self.power_on_ns = time.monotonic_ns()
        self._supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", supervisor.__file__, str(folder), *command],
            stdin=subprocess.PIPE, start_new_session=True,
        )
        accepted = {port: self._accept(listener) for port, listener in listeners.items()}
        self.console, self.agent = accepted["console"], accepted["agent"]
        try:
            self.qmp = Qmp(accepted["qmp"])
        except TwinError:
            if self.ends_within(1.0):
                raise self.death() from None
            raise

    def _accept(self, listener: socket.socket) -> socket.socket:
        assert self._supervisor
        ended = os.pidfd_open(self._supervisor.pid)
        try:
            ready, _, _ = select.select([listener.fileno(), ended], [], [], CONNECT_S)
            if listener.fileno() in ready:
                return listener.accept()[0]
            if ready:
                raise self.death()
            raise TwinError(f"QEMU did not connect its ports within {CONNECT_S} s: {self.words()}")
        finally:
            os.close(ended)
            listener.close()

    def _command(self, folder: Path) -> list[str]:
        m, a = self.machine, self.artefacts
        qemu = [
            *a.qemu, "-M", f"{m.machine},memory-backend=ram",
            "-cpu", m.cpu, "-smp", str(m.cpus), "-m", f"{m.memory_mb}M",
            "-object", f"memory-backend-memfd,id=ram,share=on,size={m.memory_mb}M",  # vhost-user back-ends map it
            "-nodefaults",
        ]
        dtb = devicetree.build(self.board, self.chips, qemu, str(a.dtc), default_folder() / "devicetree")
        command = [
            *qemu, "-display", "none", "-no-reboot",
            "-kernel", str(a.kernel), "-initrd", str(a.initramfs), "-dtb", str(dtb),
            # Drivers that count register reads against loops_per_jiffy would wait 500 times too long: a read costs that
            # much more here than on silicon. Delays go by the timer and do not change.
            # QEMU 11.1 lets a processor sleep in WFE and now and then loses the SEV that is to end it: without the
            # timer's event stream a contended spinlock then hangs the kernel (docs/defects/qemu.md 2).
            "-append", "console=ttyAMA0 loglevel=7 panic=-1 sysrq_always_enabled lpj=1000 "
            "clocksource.arm_arch_timer.evtstrm=1",
            "-chardev", f"socket,id=console,path={folder}/console", "-serial", "chardev:console",
            "-qmp", f"unix:{folder}/qmp",
            "-chardev", f"socket,id=agent,path={folder}/agent",
            "-device", "virtio-serial-device", "-device", "virtserialport,chardev=agent,name=bench.agent",
            "-device", "virtio-rng-device",
        ]
        for attachment in self.attachments.values():
            command += attachment.arguments
        return command


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1)
    return listener


def _line(device: Device, chip: Chip, name: str) -> Line:
    """The line `name` of a device's chip."""
    if name not in chip.lines:
        what = UsageError.unknown(f"line of {chip.name}", name, chip.lines)
        raise BoardError(f"board.yaml: devices.{device.name}.lines.{name}: {what}")
    return chip.lines[name]


def _make(device: Device, cable: Cable | None) -> Chip:
    """The model of a device's chip, plugged into its cable if it has one."""
    model = chips.find(device.chip or "")
    given = dict(device.options)
    if cable is not None:
        if "cable" not in inspect.signature(model).parameters:
            raise BoardError(f"board.yaml: cables: chip {device.chip} of {device.name} has no port for a cable")
        given["cable"] = cable
    try:
        return model(**given)
    except (TypeError, ValueError) as e:
        raise BoardError(f"board.yaml: devices.{device.name}.options: {e}") from e
