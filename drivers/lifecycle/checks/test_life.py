"""The life-cycle matrix: each action on each device that has a driver; what is left is what was there."""
from __future__ import annotations

import errno

import pytest

from drivers.checks.slab_leak import grows
from drivers.lifecycle.checks.diff import kept_while_unbound


def each(action):
    return pytest.mark.each_device(action)


@each("unbind")
@pytest.mark.fault("plant:lose_after_bind", "plant:leave_irq", "plant:leave_iomem", "plant:leave_debugfs",
                   "plant:hold_module_reference")
def test_a_device_comes_back_whole_after_unbind_and_bind(act, device):
    result = act("unbind").nothing_refused()
    assert device["id"] not in result["during"]["drivers"]
    assert kept_while_unbound(result) == []
    result.nothing_changed()


@each("leak")
@pytest.mark.lifecycle
@pytest.mark.fault("plant:leak_on_bind", "plant:hold_module_reference")
def test_ten_binds_leave_nothing_behind(act, device, measure):
    result = act("leak").nothing_refused()
    measure("slowest bind", max(step["seconds"] for step in result["steps"]), "s")
    result.nothing_changed()
    if not result["samples"][0]:
        pytest.skip("the kernel does not tell what is in its slab caches")
    assert grows(result["samples"][1:]) == {}, "memory is lost (cache: objects from bind to bind)"


@each("reload")
@pytest.mark.lifecycle
@pytest.mark.fault("plant:lose_after_bind", "plant:leave_irq")
def test_a_device_comes_back_whole_after_its_module_was_reloaded(act, device):
    result = act("reload").nothing_refused()
    assert device["module"] not in result["during"]["modules"]
    assert device["id"] not in result["during"]["drivers"]
    result.nothing_changed()


@each("override")
@pytest.mark.lifecycle
@pytest.mark.fault("plant:lose_after_bind")
def test_driver_override_decides_who_may_have_the_device(act, device):
    result = act("override")
    assert result["notes"]["nobody"]["errno"] == errno.ENODEV, "bound although driver_override names another driver"
    result["steps"].remove(result["notes"]["nobody"])
    result.nothing_refused().nothing_changed()


@each("open")
@pytest.mark.lifecycle
@pytest.mark.fault("plant:hold_module_reference", "plant:lose_after_bind")
def test_a_device_can_go_and_come_back_while_programs_hold_it_open(act, device):
    result = act("open")
    if not any(number == 0 for number in result["held"].values()):
        pytest.skip("it offers programs nothing that can be opened")
    assert "hung" not in result["notes"], "unbind came back only when no program had the device open any more"
    result.nothing_refused()
    assert {one["end"] for one in result["used"]} == {"done"}, "a program that had it open did not end"
    result.nothing_changed()


@each("use")
@pytest.mark.lifecycle
@pytest.mark.fault("plant:hold_module_reference", "plant:lose_after_bind")
def test_a_device_can_go_and_come_back_while_programs_use_it(act, device):
    result = act("use")
    assert "hung" not in result["notes"], "unbind came back only when no program used the device any more"
    assert sum(one["count"] for one in result["used"]) > 0, "no program came to use it"
    result.nothing_refused()
    assert [one for one in result["used"] if one["end"] != "done"] == [], "a program that used it did not end"
    result.nothing_changed()


@each("load")
@pytest.mark.lifecycle
@pytest.mark.fault("plant:lose_after_bind", "plant:leave_irq")
def test_a_module_is_reloaded_or_refused_while_programs_use_its_device(act, device):
    result = act("load")
    no = result["notes"]["refused"]
    assert no is None or (no["end"], no["errno"]) == ("done", errno.EAGAIN), "refused otherwise than as in use"
    assert [one for one in result["used"] if one["end"] != "done"] == [], "a program that used it did not end"
    result.nothing_refused().nothing_changed()


@each("runtime")
@pytest.mark.lifecycle
@pytest.mark.fault("plant:stay_awake")
def test_a_device_that_nobody_uses_sleeps_and_wakes(act, device, measure):
    result = act("runtime").nothing_refused()
    assert (result["notes"]["asleep"], result["notes"]["awake"]) == ("suspended", "active")
    measure("until it sleeps", result["notes"]["asleep_s"], "s")
    result.nothing_changed()


@each("new_id")
@pytest.mark.lifecycle
@pytest.mark.fault("plant:lose_after_bind")
def test_a_new_id_makes_the_driver_take_the_device(act, device):
    result = act("new_id").nothing_refused()
    notes = result["notes"]
    assert notes["new_id"]["errno"] in (0, errno.EEXIST)  # a bus may know that the driver has this one already
    if not notes["new_id"]["errno"]:
        assert notes["took"] == device["driver"]
    result.nothing_changed()


@each("defer")
@pytest.mark.lifecycle
@pytest.mark.fault("plant:lose_after_bind")
def test_a_device_waits_for_what_it_needs_and_comes_back_by_itself(act, device):
    result = act("defer").nothing_refused()
    notes = result["notes"]
    assert notes["without"] == "", "it kept its driver when what it needs was gone"
    assert notes["tried"]["errno"] == errno.EAGAIN, "its probe was not deferred"
    assert any(line.split()[0] == device["name"] for line in notes["deferred"]), "the kernel does not say that it waits"
    assert notes["with"] == device["driver"]
    assert notes["deferred_after"] == result["before"]["deferred"]
    result.nothing_changed()


