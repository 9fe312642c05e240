"""The actions of the matrix: each acts on a device's driver and is undone.

`Transaction.restore` always follows.
"""
from __future__ import annotations

import time
from collections.abc import Callable

from drivers.lifecycle import snapshot
from drivers.lifecycle.applicable import bound_supplier, holders, ids
from drivers.lifecycle.transaction import Transaction
from drivers.uapi import devices
from drivers.uapi.process import write
from drivers.uapi.slabinfo import shrink_caches, slab
from drivers.uapi.sysfs import BUSES, UNREADABLE, read

LOOPS = 10
USE_S = 0.15  # for how long programs use a device before and after the unbind
SUSPEND_S = 2.0
NO_DRIVER = "bench-no-driver"  # no driver has this name


def unbind(change: Transaction) -> None:
    """Unbind, take a snapshot, bind."""
    change.unbind()
    change.take_snapshot()
    change.bind()
    change.settle()


def leak(change: Transaction) -> None:
    """Unbind and bind LOOPS times, and sample the slab caches after each."""
    for _ in range(LOOPS):
        if not (change.unbind().ok and change.bind().ok and change.settle()):
            return
        shrink_caches()
        change.samples.append(slab())


def reload(change: Transaction) -> None:
    """Unload the driver's module and its holders, take a snapshot, load them."""
    modules = holders(change.device.module)
    if all(step.ok for step in change.unload(modules, timeout_s=0.5)):
        change.take_snapshot()
    change.load(modules[::-1])
    change.settle()


def override(change: Transaction) -> None:
    """Set driver_override to no driver, to the device's own, then clear it."""
    path = f"{change.device.path}/driver_override"
    change.write(path, NO_DRIVER)
    change.unbind()
    change.notes["no_driver"] = change.bind().result()
    change.take_snapshot()
    change.write(path, change.device.driver)
    change.bind()
    change.write(path, "\n")
    change.settle()


def open_(change: Transaction) -> None:
    """Unbind and bind while programs hold everything open."""
    change.load_i2c_dev()
    change.hold_open()
    if change.unbind().end == "stuck":
        change.stop_programs()
    else:
        change.take_snapshot()
    change.bind()
    change.stop_programs()
    change.settle()


def use(change: Transaction) -> None:
    """Unbind and bind while programs use everything."""
    change.load_i2c_dev()
    change.start_workload()
    time.sleep(USE_S)
    if change.unbind().end == "stuck":
        change.stop_programs()
    change.bind()
    change.settle()
    time.sleep(USE_S)
    change.stop_programs()


def load(change: Transaction) -> None:
    """Reload the module while programs use everything; if refused, again when they have ended."""
    change.load_i2c_dev()
    change.start_workload()
    time.sleep(USE_S)
    modules = holders(change.device.module)
    refused = [step for step in change.unload(modules) if not step.ok]
    change.notes["refused"] = refused[0].result() if refused else None
    change.load(modules[::-1])
    change.settle()
    change.stop_programs()
    if refused:
        change.steps.remove(refused[0])
        reload(change)


def runtime(change: Transaction) -> None:
    """Runtime-resume the device, let it autosuspend, and resume it again."""
    power = f"{change.device.path}/power"
    change.write(f"{power}/control", "on")
    _status(power, "active", SUSPEND_S)
    started = time.monotonic()
    if read(f"{power}/autosuspend_delay_ms", UNREADABLE):
        change.write(f"{power}/autosuspend_delay_ms", "0")
    change.write(f"{power}/control", "auto")
    change.notes["suspended"] = _status(power, "suspended", SUSPEND_S)
    change.notes["suspended_s"] = time.monotonic() - started
    change.write(f"{power}/control", "on")
    change.notes["resumed"] = _status(power, "active", SUSPEND_S)


def _status(power: str, wanted: str, timeout_s: float) -> str:
    deadline = time.monotonic() + timeout_s
    while read(f"{power}/runtime_status", UNREADABLE) != wanted and time.monotonic() < deadline:
        time.sleep(0.01)
    return read(f"{power}/runtime_status", UNREADABLE)


def new_id(change: Transaction) -> None:
    """Write the device's own id to new_id: the driver binds by it, or refuses it with EEXIST."""
    change.unbind()
    change.take_snapshot()
    words = ids(change.device)
    step = change.write(f"{change.device.driver_folder}/new_id", words)
    change.notes["new_id"] = step.result()
    if step.errno:
        change.steps.pop()
        change.bind()
    else:
        change.settle()
        change.notes["took"] = devices.find(change.device.id).driver
        change.write(f"{change.device.driver_folder}/remove_id", words)


def defer(change: Transaction) -> None:
    """Unbind the supplier: the device's probe is deferred. Bind it: the device is bound again."""
    supplier = bound_supplier(change.device)
    change.notes["supplier"] = supplier.id
    change.write(f"{supplier.driver_folder}/unbind", supplier.name)
    change.notes["without"] = devices.find(change.device.id).driver
    change.notes["tried"] = change.bind().result()
    change.steps.pop()  # the refusal is expected
    probe = write(
        f"{BUSES}/{change.device.bus}/drivers_probe", change.device.name
    )  # it is deferred
    probe.wait()
    change.notes["deferred"] = snapshot.deferred()
    change.take_snapshot()
    change.write(f"{supplier.driver_folder}/bind", supplier.name)
    change.settle()
    change.notes["with"] = devices.find(change.device.id).driver
    change.notes["deferred_after"] = snapshot.deferred()


ACTIONS: dict[str, Callable[[Transaction], None]] = {
    "unbind": unbind,
    "leak": leak,
    "reload": reload,
    "override": override,
    "open": open_,
    "use": use,
    "load": load,
    "runtime": runtime,
    "new_id": new_id,
    "defer": defer,
}
