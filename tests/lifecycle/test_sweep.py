"""A sweep on the real twin: the n-th register read of the DM9000's probe gets no answer."""
from __future__ import annotations

import pytest

from bench import Rig
from bench.errors import UsageError
from bench.plugin.running_check import RunningCheck
from bench.plugin.sweep import Sweep


@pytest.fixture(scope="module")
def rig():
    with Rig("twin210") as rig:
        yield rig


@pytest.fixture
def probe(rig):
    device = rig.net.identity().value["device"]
    yield lambda: rig.kernel.bind(driver="dm9000", device=device), lambda: rig.kernel.unbind(
        driver="dm9000", device=device).errno
    assert rig.kernel.bind(driver="dm9000", device=device).errno in (0, 16)  # EBUSY: it is bound


def test_each_row_says_what_the_program_got_and_that_the_next_call_was_right(rig, probe):
    bind, unbind = probe
    check = RunningCheck.nothing()
    found = Sweep.run(rig, check, "dm9000.window:read_fails", bind, before=unbind, most=4)
    assert [row["n"] for row in found.rows] == [1, 2, 3, 4]
    assert [row["recovered"] for row in found.rows] == ["1"] * 4
    assert (found.silent, found.lasting, found.late, found.unwell) == ([], [], [], [])
    assert found.ended.startswith("stopped at n = 5: 4 runs")
    assert check.rows == [{"fault": "dm9000.window:read_fails", **row} for row in found.rows]


def test_a_fault_without_a_chance_ends_the_sweep_at_its_first_row(rig):
    found = Sweep.run(rig, RunningCheck.nothing(), "dm9000.window:write_fails", rig.agent.noop)
    assert [(row["n"], row["outcome"], row["recovered"]) for row in found.rows] == [(1, "not reached", "")]
    assert found.fired == [] and found.ended == "the fault has 0 chances, or fewer"


def test_a_driver_that_never_recovers_is_told(rig, probe):
    bind, unbind = probe
    chip = rig.chip("dm9000")

    def bind_until_the_first_failure():
        answer = bind()
        chip.faults.wrong_chip_id = chip.faults.wrong_chip_id or bool(chip.window.fired.get("read_corrupt"))
        return answer

    try:
        found = Sweep.run(rig, RunningCheck.nothing(), "dm9000.window:read_corrupt", bind_until_the_first_failure,
                          before=unbind, most=1)
    finally:
        chip.faults.clear()
    assert found.lasting == [1]


def test_a_place_that_is_none_is_usage(rig):
    with pytest.raises(UsageError, match=r"dm9000\.window"):
        Sweep.run(rig, RunningCheck.nothing(), "dm9000.windw:read_fails", rig.agent.noop)
