"""One action on one device: each step with its errno, the kernel before,
during and after; then undone.
"""
from __future__ import annotations

import contextlib
import os
import time
from typing import Any, TypedDict

from drivers.lifecycle import snapshot, workload
from drivers.lifecycle.snapshot import Snapshot
from drivers.lifecycle.workload import ProgramResult
from drivers.uapi.devices import Device, below, bound, devices
from drivers.uapi.if_link import set_link
from drivers.uapi.modules import load_module, loaded, unload_module
from drivers.uapi.process import STUCK_S, Child, Step, StepResult, write
from drivers.uapi.sysfs import BUSES, UNREADABLE, driver_folder, read

SETTLE_S = 5.0  # until everything below a device that came back has its driver again
RESTORE_S = 2.0  # the same, after a bind by `restore`
SLOW_S = 10.0  # for a step that hung while a program held the device, once the program has ended


class Result(TypedDict):
    """The result of an action, for the host."""

    device: str
    driver: str
    name: str
    module: str
    steps: list[StepResult]
    held: dict[str, int]  # node → errno of its open
    used: list[ProgramResult]
    before: Snapshot
    during: Snapshot | None  # while the device had no driver
    after: Snapshot
    samples: list[dict[str, int]]  # of the slab caches
    notes: dict[str, Any]  # what only one action has, by name
    restored: bool


class Transaction:
    """The steps of an action, and their undoing: `restore()`, then `result()`."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.steps: list[Step] = []
        self.programs: list[Child] = []
        self.held: dict[str, int] = {}
        self.used: list[ProgramResult] = []
        self.during: Snapshot | None = None
        self.samples: list[dict[str, int]] = []
        self.notes: dict[str, Any] = {}
        self.links = workload.link_states(device.path)
        self._control = read(f"{device.path}/power/control", UNREADABLE)
        self._delay = read(f"{device.path}/power/autosuspend_delay_ms", UNREADABLE)
        self._loaded: list[str] = []
        self.before = snapshot.take()
        self._bound = {device.id: device for device in bound()}

    # steps

    def write(self, path: str, text: str, timeout_s: float = STUCK_S) -> Step:
        """Write an attribute, as a step."""
        return self.run(write(path, text), timeout_s)

    def run(self, step: Step, timeout_s: float = STUCK_S) -> Step:
        """Keep a step and wait until it ends, or is stuck."""
        self.steps.append(step.wait(timeout_s))
        return step

    def unbind(self) -> Step:
        """Unbind the device from its driver."""
        return self.write(f"{self.device.driver_folder}/unbind", self.device.name)

    def bind(self) -> Step:
        """Bind the device to its driver."""
        return self.write(f"{self.device.driver_folder}/bind", self.device.name)

    def unload(self, modules: list[str], timeout_s: float = 0.0) -> list[Step]:
        """Unload modules one after the other, up to the first that is refused."""
        steps = []
        for name in modules:

            def unload(name: str = name) -> int:
                try:
                    unload_module(name, timeout_s)
                except OSError as error:
                    return error.errno or -1
                return 0

            steps.append(self.run(Step(f"unload {name}", unload), STUCK_S + timeout_s))
            if not steps[-1].ok:
                break
        return steps

    def load(self, modules: list[str]) -> None:
        """Load modules that are not loaded."""
        for name in modules:

            def load(name: str = name) -> int:
                try:
                    load_module(name)
                except OSError as error:
                    return error.errno or -1
                return 0

            self.run(Step(f"load {name}", load))

    def take_snapshot(self) -> None:
        """Keep the kernel's state now, while the device has no driver."""
        self.during = snapshot.take()

    def settle(self, timeout_s: float = SETTLE_S) -> bool:
        """Wait until every device has its driver of before; False when one has not in time."""
        deadline = time.monotonic() + timeout_s
        while {device.id: device.driver for device in bound()} != self.before["drivers"]:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        return True

    # programs

    def load_i2c_dev(self) -> None:
        """Load what makes the nodes of an I2C adapter: no devicetree node does."""
        children = [device for device in devices() if below(self.device.path, device.path)]
        adapter = any(child.bus == "i2c" and child.name.startswith("i2c-") for child in children)
        with contextlib.suppress(OSError):  # a kernel without it has no such nodes
            if adapter and load_module("i2c_dev"):
                self._loaded.append("i2c_dev")

    def hold_open(self) -> None:
        """Open everything that the device offers."""
        program = workload.hold_open(self.device.path)
        self.programs.append(program)
        self.held = program.value(STUCK_S) or {}

    def start_workload(self) -> None:
        """Use everything that the device offers, all the time."""
        self.programs += workload.start(self.device.path)
        for program in self.programs:
            program.value(STUCK_S)  # it has begun

    def stop_programs(self) -> None:
        """Stop the programs, and wait for the steps that waited for them."""
        self.used += workload.stop(self.programs)
        self.programs = []
        for step in self.steps:
            if step.end == "stuck":
                step.wait(SLOW_S)
                if step.end != "stuck":
                    step.what += " (only when no program had it open any more)"
                self.notes.setdefault("hung", step.what)

    # the end

    def restore(self) -> bool:
        """Undo everything: programs, overrides, modules, drivers, power and interfaces.

        Returns whether every device has its driver of before.
        """
        if self.programs:
            self.stop_programs()
        self._restore_override()
        for name in self.before["modules"]:
            if not loaded(name):
                self.load([name])
        self.settle(0.3)
        for lost in sorted(self._bound.values(), key=lambda other: other.id != self.device.id):
            link = f"{BUSES}/{lost.bus}/devices/{lost.name}"
            unbound = os.path.exists(link) and not os.path.exists(f"{link}/driver")
            if lost.id in self.before["drivers"] and unbound:
                self.write(f"{driver_folder(lost.bus, lost.driver)}/bind", lost.name)
        self._restore_power()
        restored = self.settle(RESTORE_S)
        for name, up in self.links.items():
            with contextlib.suppress(OSError):  # an interface that is gone shows in `after`
                set_link(name, up=up)
        for name in self._loaded:
            unload_module(name, 1.0)
        for step in self.steps:
            step.child.close()  # one that is still stuck stays in the kernel
        return restored

    def _restore_override(self) -> None:
        path = f"{self.device.path}/driver_override"
        before = self.before["settings"].get(self.device.id, "")
        now = read(path, UNREADABLE)
        if now and f"override {now}," not in before:
            self.write(path, "\n")

    def _restore_power(self) -> None:
        for name, value in (("autosuspend_delay_ms", self._delay), ("control", self._control)):
            path = f"{self.device.path}/power/{name}"
            if value and read(path, UNREADABLE) not in ("", value):
                self.write(path, value)

    def result(self, restored: bool) -> Result:
        """The result for the host, with a new snapshot as `after`."""
        device = self.device
        return {
            "device": device.id, "driver": device.driver, "name": device.name,
            "module": device.module, "steps": [step.result() for step in self.steps],
            "held": self.held, "used": self.used, "before": self.before, "during": self.during,
            "after": snapshot.take(), "samples": self.samples, "notes": self.notes,
            "restored": restored,
        }  # fmt: skip
