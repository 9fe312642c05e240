"""A GPIO controller: directions, values, edges, debounce, failed requests, suspend."""
import errno
from collections import Counter

import pytest

from drivers.gpio.checks import contracts

REBOUND: Counter[int] = Counter()  # boot → how often the driver was rebound


def press(chip):
    """Toggle the button: an edge."""
    chip.line("button").set(not chip.line("button").level)


@pytest.fixture
def rebind(gpio, rig):
    """Bind the driver again.

    Each time leaks a devicetree node reference (docs/defects/virtio.md 1): not often.
    """
    yield gpio.rebind
    REBOUND[rig.boots] += 1
    rig.mark_dirty(lambda: REBOUND[rig.boots] > 1)


@pytest.mark.fault("virtio_gpio:names_missing", "virtio_gpio:names_shifted")
def test_the_controller_has_the_lines_of_the_board(gpio, rebind):
    assert rebind().value.startswith("gpiochip")  # probe reads the names
    identity, lines = gpio.identity().value, gpio.device.options["lines"]
    assert identity["lines"] == lines
    label, node = identity["label"], f"/dev/{identity['name']}"
    for number, name in enumerate(lines):  # both forms that board.yaml accepts
        assert (
            gpio.find_line(name).value
            == gpio.find_line(f"{label}-{number}").value
            == [node, number]
        )
    assert gpio.find_line(f"{label}-{len(lines)}").errno == errno.ENOENT


@pytest.mark.fault(
    "virtio_gpio:stuck_low", "virtio_gpio:stuck_high", "virtio_gpio:answer_too_short"
)
def test_an_input_reads_what_is_on_the_wire(gpio, virtio_gpio_chip):
    read = []
    for level in (False, True, False):
        virtio_gpio_chip.line("button").set(level)
        read.append(gpio.get(["button"]).value)
    assert read == [[0], [1], [0]]


@pytest.mark.fault("virtio_gpio:stuck_low", "virtio_gpio:request_refused")
def test_an_active_low_input_reads_inverted(gpio, virtio_gpio_chip):
    virtio_gpio_chip.line("button").set(False)
    assert gpio.get(["button"], active_low=True).value == [1]
    virtio_gpio_chip.line("button").set(True)
    assert gpio.get(["button"], active_low=True).value == [0]


@pytest.mark.fault(
    "virtio_gpio:output_inverted",
    "virtio_gpio:output_open",
    "virtio_gpio:set_value_lost",
    "virtio_gpio:direction_stuck",
    "virtio_gpio:neighbour_driven",
    "virtio_gpio:released_line_driven",
)
def test_an_output_drives_its_wire_and_no_other_until_it_is_released(gpio, virtio_gpio_chip):
    for name in ("led", "relay"):
        virtio_gpio_chip.line(name).set(False)
    with gpio.hold({"led": 1}, until="button") as held:
        levels = [virtio_gpio_chip.line(name).level for name in ("led", "relay")]
        direction = virtio_gpio_chip.direction("led")
        press(virtio_gpio_chip)
    assert (levels, direction) == ([True, False], "out")
    assert held.value["led"]["consumer"] == "bench" and held.value["led"]["direction"] == "output"
    assert virtio_gpio_chip.direction("led") == "none"
    assert virtio_gpio_chip.violations == []


@pytest.mark.fault("virtio_gpio:set_value_lost", "virtio_gpio:output_open")
def test_an_output_starts_low_or_high_without_a_glitch(gpio, virtio_gpio_chip):
    for value in (0, 1):
        virtio_gpio_chip.line("led").set(not value)
        virtio_gpio_chip.clear()
        with gpio.hold({"led": value}, until="button") as held:
            level = virtio_gpio_chip.line("led").level
            press(virtio_gpio_chip)
        assert level == bool(value)
        assert held.value["led"]["value"] == value
        # the value first, or the wire glitches to the other level
        steps = [event for event in virtio_gpio_chip.wire if event[1] == "led"]
        assert steps[:2] == [("value", "led", value), ("direction", "led", "out")]


@pytest.mark.fault("virtio_gpio:request_refused", "virtio_gpio:answer_too_short")
def test_a_direction_change_is_visible_to_the_kernel(gpio):
    answer = gpio.tracing(
        contracts.every_direction_change_succeeds,
        contracts.no_request_fails,
        contracts.every_request_is_answered,
    ).set_directions("led", ["output", "input", "output"])
    assert answer.value == ["output", "input", "output"]
    assert contracts.every_direction_change_succeeds(answer)
    assert contracts.no_request_fails(answer)
    assert contracts.every_request_is_answered(answer)


@pytest.mark.fault(
    "virtio_gpio:output_inverted", "virtio_gpio:stuck_high", "virtio_gpio:set_value_lost"
)
def test_a_jumper_carries_each_value(gpio):
    out, into = gpio.device.arguments["out"], gpio.device.arguments["into"]
    values = [1, 0, 1, 1, 0, 0, 1, 0]
    # The first value twice: the line is requested with it.
    sets = contracts.values_are_set.bind(times=1 + len(values))
    answer = gpio.tracing(sets).loop(out, into, values)
    assert answer.value == values
    assert sets(answer)


@pytest.mark.fault(
    "virtio_gpio:lose_edges",
    "virtio_gpio:duplicate_edges",
    "virtio_gpio:edge_of_neighbour",
    "virtio_gpio:invalid_events",
)
@pytest.mark.parametrize(
    "edge, expected",
    [
        ("rising", ["rising", "rising"]),
        ("falling", ["falling"]),
        ("both", ["rising", "falling", "rising"]),
    ],
)
def test_only_the_requested_edges_are_reported(gpio, virtio_gpio_chip, edge, expected):
    line = virtio_gpio_chip.line("button")
    line.set(False)
    with gpio.edges("button", count=len(expected) + 1, edge=edge, timeout_s=0.25) as edges:
        for level in (True, False, True):
            line.set(level)
            virtio_gpio_chip.wait_ready("button")
    assert [kind for kind, _, _ in edges.value] == expected
    assert [number for _, _, number in edges.value] == list(range(1, len(expected) + 1))


@pytest.mark.fault("virtio_gpio:wrong_edge", "virtio_gpio:lose_edges")
@pytest.mark.parametrize("edge, level", [("rising", True), ("falling", False)])
def test_a_level_change_is_reported_as_the_right_edge(gpio, virtio_gpio_chip, edge, level):
    virtio_gpio_chip.line("button").set(not level)
    with gpio.edges("button", count=1, edge=edge, timeout_s=0.5) as edges:
        virtio_gpio_chip.line("button").set(level)
    assert [kind for kind, _, _ in edges.value] == [edge]


@pytest.mark.fault(
    "virtio_gpio:lose_every_tenth_edge", "virtio_gpio:duplicate_edges", "virtio_gpio:lose_edges"
)
def test_no_edge_of_a_thousand_is_lost(gpio, virtio_gpio_chip, measure):
    count = int(gpio.limits["edges"])
    virtio_gpio_chip.line("button").set(False)
    with gpio.timeout(30).edges("button", count=count, timeout_s=10) as edges:
        done = virtio_gpio_chip.toggle("button", count, timeout_s=10)
    assert done == count
    events = edges.value
    assert len(events) == count
    assert [kind for kind, _, _ in events] == ["rising", "falling"] * (count // 2)
    assert [number for _, _, number in events] == list(range(1, count + 1))
    stamps = [stamp for _, stamp, _ in events]
    assert stamps == sorted(stamps)
    measure("edges", count / ((stamps[-1] - stamps[0]) / 1e9), "/s")


@pytest.mark.fault("virtio_gpio:late_edges", "virtio_gpio:lose_edges")
def test_the_edge_latency_is_within_its_limit(gpio, measure):
    out, into = gpio.device.arguments["out"], gpio.device.arguments["into"]
    edges = gpio.loop_edges(out, into, 8).value
    assert [kind for kind, _, _ in edges] == ["rising", "falling"] * 4
    measure(
        "drive to time stamp",
        min(ns for _, ns, _ in edges) / 1e6,
        "ms",
        limit=gpio.limits["edge_ms"],
    )


@pytest.mark.fault("virtio_gpio:stuck_low", "virtio_gpio:lose_edges")
def test_debounce_makes_one_edge_of_a_bouncing_button(gpio, virtio_gpio_chip):
    line = virtio_gpio_chip.line("button")
    line.set(False)
    with gpio.edges("button", count=2, timeout_s=0.5, debounce_us=20000) as edges:
        for level in (True, False, True, False, True):
            line.set(level)
            virtio_gpio_chip.wait_ready("button")
    assert [kind for kind, _, _ in edges.value] == ["rising"]


@pytest.mark.fault("virtio_gpio:request_refused")
def test_requesting_a_line_twice_is_ebusy(gpio):
    assert gpio.request_twice("button").errno == errno.EBUSY
    free = gpio.info("button").value
    assert (free["used"], free["consumer"]) == (False, "")
    assert gpio.get(["button", "led"]).errno == 0


@pytest.mark.fault("virtio_gpio:stuck_high")
def test_an_unsupported_bias_has_no_effect(gpio, virtio_gpio_chip):
    virtio_gpio_chip.line("button").set(False)
    for bias in ("pull_up", "pull_down", "disabled"):
        assert gpio.get(["button"], bias=bias).value == [0]


@pytest.mark.fault("virtio_gpio:interrupts_stay_on")
def test_releasing_a_line_disables_its_interrupt(gpio, virtio_gpio_chip):
    with gpio.edges("button", count=1) as edges:
        during = virtio_gpio_chip.pin("button").irq_type.name
        press(virtio_gpio_chip)
    assert len(edges.value) == 1 and during == "EDGE_BOTH"
    assert virtio_gpio_chip.pin("button").irq_type.name == "NONE"
    assert virtio_gpio_chip.pin("button").buffer is None


@pytest.mark.fault("virtio_gpio:direction_inverted")
def test_get_direction_reports_the_hardware_direction(gpio, virtio_gpio_chip):
    with gpio.hold({"led": 1}, until="button") as held:
        press(virtio_gpio_chip)
    assert held.value["led"]["hardware"] == "out"


@pytest.mark.fault("virtio_gpio:request_refused", "virtio_gpio:interrupts_stay_on")
def test_edge_detection_can_be_requested_again_at_once(gpio, virtio_gpio_chip):
    assert gpio.request_edges_repeatedly("button", 30).errno == 0
    assert virtio_gpio_chip.pin("button").buffer is None
    with gpio.edges("button", count=1, timeout_s=0.5) as edges:
        press(virtio_gpio_chip)
    assert len(edges.value) == 1
    assert virtio_gpio_chip.violations == []


@pytest.mark.expects(splat="GPIO request failed")
@pytest.mark.fault("virtio_gpio:lose_edges")
def test_a_failed_set_value_request_is_an_error(gpio, virtio_gpio_chip):
    with gpio.set_later("led", 1, until="button") as later:
        virtio_gpio_chip.faults.request_refused = True
        press(virtio_gpio_chip)
    virtio_gpio_chip.faults.request_refused = False
    assert gpio.get(["led"]).errno == 0  # releases the line, whose release failed as well
    assert later.errno == errno.EINVAL


@pytest.mark.expects(splat="GPIO request failed|WARNING: .*virtio_gpio_irq_bus_sync_unlock")
@pytest.mark.fault("virtio_gpio:request_refused")
def test_a_failed_irq_type_request_is_an_error(gpio, virtio_gpio_chip):
    assert gpio.request_edges_repeatedly("button", 1).errno == 0
    with virtio_gpio_chip.faults.switched_on("interrupt_refused"):
        assert gpio.request_edges_repeatedly("button", 1).errno == errno.EINVAL


def suspend(kernel, **arguments):
    if kernel.suspend(**arguments).errno in (errno.ENOENT, errno.EINVAL, errno.ENODEV):
        pytest.skip("this kernel has no pm_test for devices")


@pytest.mark.fault("virtio_gpio:stuck_low")
def test_a_line_still_reads_after_suspend_and_resume(gpio, kernel, virtio_gpio_chip):
    virtio_gpio_chip.line("button").set(True)
    assert gpio.get(["button"]).value == [1]
    suspend(kernel, lost=())  # only what the kernel itself restores
    assert gpio.timeout(3.0).get(["button"]).value == [1]


@pytest.mark.fault("virtio_gpio:lose_edges", "virtio_gpio:stuck_high")
def test_values_and_edges_still_work_after_repeated_suspend_and_resume(
    gpio, kernel, virtio_gpio_chip
):
    for level in (True, False) * 2:
        virtio_gpio_chip.line("button").set(not level)
        suspend(kernel)
        with gpio.edges("button", count=1, timeout_s=0.5) as edges:
            virtio_gpio_chip.line("button").set(level)
        assert len(edges.value) == 1
        assert gpio.get(["button"]).value == [level]
