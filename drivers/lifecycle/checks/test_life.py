"""The life-cycle matrix: each action on each device that has a driver
leaves the kernel as it was.
"""
from __future__ import annotations

import errno

import pytest

from drivers.checks.slab_leak import grows
from drivers.lifecycle.checks.diff import kept_while_unbound


def each(action):
    return pytest.mark.each_device(action)


def unfinished(result):
    return [program for program in result["used"] if program["end"] != "done"]


@each("unbind")
@pytest.mark.fault(
    "seeded_bug:unbind_after_bind",
    "seeded_bug:leak_irq",
    "seeded_bug:leak_mem_region",
    "seeded_bug:leak_debugfs_dir",
    "seeded_bug:leak_module_reference",
)
def test_a_device_comes_back_whole_after_unbind_and_bind(run_action, device):
    result = run_action("unbind").nothing_refused()
    assert device["id"] not in result["during"]["drivers"]
    assert kept_while_unbound(result) == []
    result.nothing_changed()


@each("leak")
@pytest.mark.lifecycle
@pytest.mark.fault("seeded_bug:leak_memory_on_bind", "seeded_bug:leak_module_reference")
def test_ten_binds_leak_no_memory(run_action, device, measure):
    result = run_action("leak").nothing_refused()
    measure("slowest bind", max(step["seconds"] for step in result["steps"]), "s")
    result.nothing_changed()
    if not result["samples"][0]:
        pytest.skip("/proc/slabinfo is not readable")
    assert grows(result["samples"][1:]) == {}, "memory leaks (cache: objects per bind)"


@each("reload")
@pytest.mark.lifecycle
@pytest.mark.fault("seeded_bug:unbind_after_bind", "seeded_bug:leak_irq")
def test_a_device_comes_back_whole_after_its_module_was_reloaded(run_action, device):
    result = run_action("reload").nothing_refused()
    assert device["module"] not in result["during"]["modules"]
    assert device["id"] not in result["during"]["drivers"]
    result.nothing_changed()


@each("override")
@pytest.mark.lifecycle
@pytest.mark.fault("seeded_bug:unbind_after_bind")
def test_driver_override_selects_the_driver(run_action, device):
    result = run_action("override")
    assert result["notes"]["no_driver"]["errno"] == errno.ENODEV, (
        "bound although driver_override names another driver"
    )
    result["steps"].remove(result["notes"]["no_driver"])
    result.nothing_refused().nothing_changed()


@each("open")
@pytest.mark.lifecycle
@pytest.mark.fault("seeded_bug:leak_module_reference", "seeded_bug:unbind_after_bind")
def test_a_device_can_be_unbound_and_bound_while_programs_hold_it_open(run_action, device):
    result = run_action("open")
    if not any(number == 0 for number in result["held"].values()):
        pytest.skip("it has nothing that programs can open")
    assert "hung" not in result["notes"], (
        "unbind returned only when no program had the device open any more"
    )
    result.nothing_refused()
    assert {program["end"] for program in result["used"]} == {"done"}, (
        "a program that had it open did not end"
    )
    result.nothing_changed()


@each("use")
@pytest.mark.lifecycle
@pytest.mark.fault("seeded_bug:leak_module_reference", "seeded_bug:unbind_after_bind")
def test_a_device_can_be_unbound_and_bound_while_programs_use_it(run_action, device):
    result = run_action("use")
    assert "hung" not in result["notes"], (
        "unbind returned only when no program used the device any more"
    )
    assert sum(program["count"] for program in result["used"]) > 0, "no program used it"
    result.nothing_refused()
    assert unfinished(result) == [], "a program that used it did not end"
    result.nothing_changed()


@each("load")
@pytest.mark.lifecycle
@pytest.mark.fault("seeded_bug:unbind_after_bind", "seeded_bug:leak_irq")
def test_a_module_is_reloaded_or_refused_while_programs_use_its_device(run_action, device):
    result = run_action("load")
    refusal = result["notes"]["refused"]
    assert refusal is None or (refusal["end"], refusal["errno"]) == ("done", errno.EAGAIN), (
        "not refused with EAGAIN"
    )
    assert unfinished(result) == [], "a program that used it did not end"
    result.nothing_refused().nothing_changed()


@each("runtime")
@pytest.mark.lifecycle
@pytest.mark.fault("seeded_bug:leak_runtime_pm_reference")
def test_an_idle_device_runtime_suspends_and_resumes(run_action, device, measure):
    result = run_action("runtime").nothing_refused()
    assert (result["notes"]["suspended"], result["notes"]["resumed"]) == ("suspended", "active")
    measure("until runtime suspend", result["notes"]["suspended_s"], "s")
    result.nothing_changed()


@each("new_id")
@pytest.mark.lifecycle
@pytest.mark.fault("seeded_bug:unbind_after_bind")
def test_a_new_id_makes_the_driver_bind_the_device(run_action, device):
    result = run_action("new_id").nothing_refused()
    notes = result["notes"]
    assert notes["new_id"]["errno"] in (0, errno.EEXIST)  # EEXIST: the driver has this id already
    if not notes["new_id"]["errno"]:
        assert notes["took"] == device["driver"]
    result.nothing_changed()


@each("defer")
@pytest.mark.lifecycle
@pytest.mark.fault("seeded_bug:unbind_after_bind")
def test_probe_is_deferred_while_the_supplier_is_unbound(run_action, device):
    result = run_action("defer").nothing_refused()
    notes = result["notes"]
    assert notes["without"] == "", "it kept its driver when its supplier was unbound"
    assert notes["tried"]["errno"] == errno.EAGAIN, "its probe was not deferred"
    assert any(line.split()[0] == device["name"] for line in notes["deferred"]), (
        "it is not in devices_deferred"
    )
    assert notes["with"] == device["driver"]
    assert notes["deferred_after"] == result["before"]["deferred"]
    result.nothing_changed()
