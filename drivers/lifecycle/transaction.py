"""One action on one device: each step with its errno, the kernel's state before, during and after; then undone."""
from __future__ import annotations

import contextlib
import os
import time
from typing import Any, Dict, List, Optional

from drivers.lifecycle import snapshot, workload
from drivers.uapi.devices import Device, below, bound, devices
from drivers.uapi.if_link import set_link
from drivers.uapi.modules import load_module, loaded, unload_module
from drivers.uapi.process import STUCK_S, Child, Step, write
from drivers.uapi.sysfs import BUSES, UNREADABLE, read

SETTLE_S = 5.0  # until everything below a device that came back has its driver again
RESTORE_S = 2.0  # and again, when it had not and was helped
SLOW_S = 10.0  # a step that hung while a program held the device, once the program is gone


class Act:
    """What an action does to its device. `told()` is what the host gets; `restore()` leaves all as it was."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.steps: List[Step] = []
        self.programs: List[Child] = []
        self.held: Dict[str, int] = {}  # node → errno of its open
        self.used: List[Dict[str, Any]] = []  # what each program that used the device came to
        self.during: Optional[Dict[str, Any]] = None  # the state while the device had no driver
        self.samples: List[Dict[str, int]] = []  # of the slab caches
        self.notes: Dict[str, Any] = {}
        self.links = workload.links(device.path)
        self._control = read(device.path + "/power/control", UNREADABLE)
        self._delay = read(device.path + "/power/autosuspend_delay_ms", UNREADABLE)
        self._loaded: List[str] = []
        self.before = snapshot.look()
        self._names = {device.id: (device.bus, device.name, device.driver) for device in bound()}

    # steps

    def put(self, path: str, text: str, timeout_s: float = STUCK_S) -> Step:
        """Write a file in a process of its own; its end, or that it is stuck, is a step."""
        return self.do(write(path, text), timeout_s)

    def do(self, step: Step, timeout_s: float = STUCK_S) -> Step:
        """Keep a step that was begun, and wait for its end."""
        self.steps.append(step.wait(timeout_s))
        return step

    def unbind(self) -> Step:
        """Take the device from its driver."""
        return self.put(self.device.driver_folder + "/unbind", self.device.name)

    def bind(self) -> Step:
        """Give the device to its driver."""
        return self.put(self.device.driver_folder + "/bind", self.device.name)

    def unload(self, modules: List[str], timeout_s: float = 0.0) -> List[Step]:
        """Unload modules, one after the other, until one cannot be."""
        steps = []
        for name in modules:
            def one(name: str = name) -> int:
                try:
                    unload_module(name, timeout_s)
                except OSError as error:
                    return error.errno or -1
                return 0

            steps.append(self.do(Step("unload %s" % name, one), STUCK_S + timeout_s))
            if not steps[-1].ok:
                break
        return steps

    def load(self, modules: List[str]) -> None:
        """Load modules; what is there already stays."""
        for name in modules:
            def one(name: str = name) -> int:
                try:
                    load_module(name)
                except OSError as error:
                    return error.errno or -1
                return 0

            self.do(Step("load %s" % name, one))

    def look(self) -> None:
        """Keep the state now, while the device has no driver."""
        self.during = snapshot.look()

    def settle(self, timeout_s: float = SETTLE_S) -> bool:
        """Wait until every device has the driver that it had before; False when it has not in time."""
        deadline = time.monotonic() + timeout_s
        while {device.id: device.driver for device in bound()} != self.before["drivers"]:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        return True

    # programs

    def helpers(self) -> None:
        """Load what makes the nodes of an I2C adapter: nothing in the devicetree asks for it."""
        children = [device for device in devices() if below(self.device.path, device.path)]
        adapter = any(device.bus == "i2c" and device.name.startswith("i2c-") for device in children)
        with contextlib.suppress(OSError):  # a kernel without it has no such nodes
            if adapter and load_module("i2c_dev"):
                self._loaded.append("i2c_dev")

    def hold(self) -> None:
        """Open everything that the device offers."""
        program = workload.held(self.device.path)
        self.programs.append(program)
        self.held = program.value(STUCK_S) or {}

    def employ(self) -> None:
        """Use everything that the device offers, all the time."""
        self.programs += workload.used(self.device.path)
        for program in self.programs:
            program.value(STUCK_S)  # it is at work

    def let_go(self) -> None:
        """End the programs, and wait for the steps that waited for them."""
        self.used += workload.finished(self.programs)
        self.programs = []
        for step in self.steps:
            if step.end == "stuck":
                step.wait(SLOW_S)
                step.what += " (only when no program had it open any more)" if step.end != "stuck" else ""
                self.notes.setdefault("hung", step.what)

    # the end

    def restore(self) -> bool:
        """Everything as before: programs ended, overrides, modules, drivers, power and interfaces; whether it is."""
        if self.programs:
            self.let_go()
        self._override()
        for name in self.before["modules"]:
            if not loaded(name):
                self.load([name])
        self.settle(0.3)
        for ident, (bus, name, driver) in sorted(self._names.items(), key=lambda item: item[0] != self.device.id):
            folder = "%s/%s/drivers/%s" % (BUSES, bus, driver)
            link = "%s/%s/devices/%s" % (BUSES, bus, name)
            if ident in self.before["drivers"] and os.path.exists(link) and not os.path.exists(link + "/driver"):
                self.put(folder + "/bind", name)
        self._power()
        done = self.settle(RESTORE_S)
        for name, up in self.links.items():
            with contextlib.suppress(OSError):  # an interface that did not come back is told by the state after
                set_link(name, up=up)
        for name in self._loaded:
            unload_module(name, 1.0)
        for step in self.steps:
            step.child.close()  # one that is still stuck is left to the kernel
        return done

    def _override(self) -> None:
        path = self.device.path + "/driver_override"
        was = self.before["settings"].get(self.device.id, "")
        now = read(path, UNREADABLE)
        if now and "override %s," % now not in was:
            self.put(path, "\n")

    def _power(self) -> None:
        for name, value in (("autosuspend_delay_ms", self._delay), ("control", self._control)):
            path = "%s/power/%s" % (self.device.path, name)
            if value and read(path, UNREADABLE) not in ("", value):
                self.put(path, value)

    def told(self) -> Dict[str, Any]:
        """All of it, for the host."""
        return {
            "device": self.device.id, "driver": self.device.driver, "name": self.device.name,
            "module": self.device.module,
            "steps": [step.told() for step in self.steps], "held": self.held, "used": self.used,
            "before": self.before, "during": self.during, "after": snapshot.look(), "samples": self.samples,
            "notes": self.notes,
        }
