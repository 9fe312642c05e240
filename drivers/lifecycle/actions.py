"""The actions of the matrix. Each takes its device away and gives it back; `Act.restore` follows whatever happens."""
from __future__ import annotations

import time
from typing import Callable, Dict

from drivers.lifecycle import snapshot
from drivers.lifecycle.applicable import bound_supplier, holders, ids
from drivers.lifecycle.transaction import Act
from drivers.uapi import devices
from drivers.uapi.process import write
from drivers.uapi.slabinfo import shrink_caches, slab
from drivers.uapi.sysfs import BUSES, UNREADABLE, read

LOOPS = 10
USE_S = 0.15  # for how long programs use a device before and after it goes
SLEEP_S = 2.0
NOBODY = "bench-nobody"  # no driver has this name


def unbind(act: Act) -> None:
    """Unbind, look, bind."""
    act.unbind()
    act.look()
    act.bind()
    act.settle()


def leak(act: Act) -> None:
    """Unbind and bind again and again, and count what is in use after each time."""
    for _ in range(LOOPS):
        if not (act.unbind().ok and act.bind().ok and act.settle()):
            return
        shrink_caches()
        act.samples.append(slab())


def reload(act: Act) -> None:
    """Unload the driver's module with those that hang on it, look, load them again."""
    modules = holders(act.device.module)
    if all(step.ok for step in act.unload(modules, timeout_s=0.5)):
        act.look()
    act.load(modules[::-1])
    act.settle()


def override(act: Act) -> None:
    """Let driver_override name nobody, then the device's own driver, then nothing again."""
    path = act.device.path + "/driver_override"
    act.put(path, NOBODY)
    act.unbind()
    act.notes["nobody"] = act.bind().told()
    act.look()
    act.put(path, act.device.driver)
    act.bind()
    act.put(path, "\n")
    act.settle()


def open_(act: Act) -> None:
    """Unbind while programs hold everything open, bind again while they still do."""
    act.helpers()
    act.hold()
    if act.unbind().end == "stuck":
        act.let_go()
    else:
        act.look()
    act.bind()
    act.let_go()
    act.settle()


def use(act: Act) -> None:
    """Unbind and bind while programs use everything."""
    act.helpers()
    act.employ()
    time.sleep(USE_S)
    if act.unbind().end == "stuck":
        act.let_go()
    act.bind()
    act.settle()
    time.sleep(USE_S)
    act.let_go()


def load(act: Act) -> None:
    """Reload the module while programs use everything; where that is refused, once more when they have ended."""
    act.helpers()
    act.employ()
    time.sleep(USE_S)
    modules = holders(act.device.module)
    refused = [step for step in act.unload(modules) if not step.ok]
    act.notes["refused"] = refused[0].told() if refused else None
    act.load(modules[::-1])
    act.settle()
    act.let_go()
    if refused:
        act.steps.remove(refused[0])
        reload(act)


def runtime(act: Act) -> None:
    """Wake the device, let it sleep on its own, and wake it again."""
    power = act.device.path + "/power/"
    act.put(power + "control", "on")
    _status(power, "active", SLEEP_S)
    begun = time.monotonic()
    if read(power + "autosuspend_delay_ms", UNREADABLE):
        act.put(power + "autosuspend_delay_ms", "0")
    act.put(power + "control", "auto")
    act.notes["asleep"] = _status(power, "suspended", SLEEP_S)
    act.notes["asleep_s"] = time.monotonic() - begun
    act.put(power + "control", "on")
    act.notes["awake"] = _status(power, "active", SLEEP_S)


def _status(power: str, wanted: str, timeout_s: float) -> str:
    deadline = time.monotonic() + timeout_s
    while read(power + "runtime_status", UNREADABLE) != wanted and time.monotonic() < deadline:
        time.sleep(0.01)
    return read(power + "runtime_status", UNREADABLE)


def new_id(act: Act) -> None:
    """Give the driver the device's own id as a new one: it takes it by that, or says that it has it."""
    act.unbind()
    act.look()
    words = ids(act.device)
    act.notes["new_id"] = act.put(act.device.driver_folder + "/new_id", words).told()
    if act.notes["new_id"]["errno"]:
        act.steps.pop()
        act.bind()
    else:
        act.settle()
        act.notes["took"] = devices.find(act.device.id).driver
        act.put(act.device.driver_folder + "/remove_id", words)


def defer(act: Act) -> None:
    """Take away what the device needs, see it wait, and give it back: it comes back by itself."""
    supplier = bound_supplier(act.device)
    act.notes["supplier"] = supplier.id
    act.put(supplier.driver_folder + "/unbind", supplier.name)
    act.notes["without"] = devices.find(act.device.id).driver
    act.notes["tried"] = act.bind().told()
    act.steps.pop()  # a refusal is what is wanted
    write("%s/%s/drivers_probe" % (BUSES, act.device.bus), act.device.name).wait()  # now it waits
    act.notes["deferred"] = snapshot.deferred()
    act.look()
    act.put(supplier.driver_folder + "/bind", supplier.name)
    act.settle()
    act.notes["with"] = devices.find(act.device.id).driver
    act.notes["deferred_after"] = snapshot.deferred()


ACTIONS: Dict[str, Callable[[Act], None]] = {
    "unbind": unbind, "leak": leak, "reload": reload, "override": override, "open": open_, "use": use, "load": load,
    "runtime": runtime, "new_id": new_id, "defer": defer,
}
