"""A mistake in board.yaml is reported as file:line: key: what was expected."""
import pytest

from bench import board
from bench.errors import BoardError, UsageError

GOOD = """\
description: a board
compatible: maker,board
devices:
  ethernet:
    driver: dm9000
    chip: dm9000
    slot: 1
    exercisers: [net]
"""


@pytest.fixture
def read(tmp_path):
    def read(text):
        folder = tmp_path / "b"
        folder.mkdir(exist_ok=True)
        (folder / "board.yaml").write_text(text)
        return board.load(str(folder), frozenset({"net", "spi"}), frozenset({"dm9000"}))

    return read


def test_every_board_in_the_tree_loads():
    for name in board.names():
        assert board.load(name).name == name


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("slot: 1", "slot: one", "yaml:7: devices.ethernet.slot: expected a whole number from 1 to 31, found 'one'"),
        ("slot: 1", "slot: 99", "board.yaml:7: devices.ethernet.slot: expected a whole number from 1 to 31, found 99"),
        ("slot: 1", "slto: 1", "board.yaml:7: devices.ethernet.slto: unknown key; expected one of driver, compatible"),
        ("    driver: dm9000\n", "", "devices.ethernet.driver: missing; expected the kernel driver's name"),
        ("[net]", "[nat]", "board.yaml:8: devices.ethernet.exercisers: no exerciser named 'nat'; did you mean 'net'?"),
        ("chip: dm9000", "chip: dm9000\n    bus: spy", "board.yaml:7: devices.ethernet.bus: no device named 'spy'"),
        ("chip: dm9000", "chip: dm900", "board.yaml:6: devices.ethernet.chip: no chip named 'dm900'; did you mean"),
        ("compatible: maker,board\n", "", "board.yaml:1: compatible: missing"),
        ("description: a board", "description: [", "board.yaml:3: not YAML"),
        ("  ethernet:", "  ethernet: 3\n  other:", "board.yaml:4: devices.ethernet: expected a mapping"),
    ],
)
def test_a_mistake_names_file_line_and_key(read, old, new, expected):
    assert old in GOOD
    with pytest.raises(BoardError) as e:
        read(GOOD.replace(old, new))
    assert expected in str(e.value)


def test_a_good_board_is_frozen_data(read):
    device = read(GOOD).devices[0]
    assert (device.name, device.driver, device.slot, device.exercisers) == ("ethernet", "dm9000", 1, ("net",))


def test_an_unknown_board_suggests_the_nearest():
    with pytest.raises(UsageError, match="no board named 'twin21'; did you mean 'twin210'"):
        board.load("twin21")


WIRED = GOOD + """\
  finger:
    driver: spidev
    lines: {reset: "gpio:reset", irq: "gpio:irq"}
  gpio:
    driver: gpio_virtio
    options: {lines: [reset, irq, led]}
"""


def test_a_device_s_lines_end_at_a_controller(read):
    finger = read(WIRED).devices[1]
    assert {name: (at.device, at.line) for name, at in finger.lines.items()} == {
        "reset": ("gpio", "reset"), "irq": ("gpio", "irq"),
    }


def test_a_real_controller_s_lines_are_known_to_its_kernel_only(read):
    text = WIRED.replace("    options: {lines: [reset, irq, led]}\n", "").replace("gpio:reset", "gpio:gph0-3")
    assert read(text).devices[1].lines["reset"].line == "gph0-3"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("gpio:irq", "irq", "board.yaml:11: devices.finger.lines.irq: expected controller:line, as gpio:gph0-3, found"),
        ("gpio:irq", "gpoi:irq", "board.yaml:11: devices.finger.lines.irq: no device named 'gpoi'; did you mean"),
        ("gpio:irq", "gpio:iqr", "board.yaml:11: devices.finger.lines.irq: no line of gpio named 'iqr'; did you mean"),
        ("gpio:irq", "gpio:reset", "lines.irq: line reset of gpio is used by devices.finger.lines.reset already"),
        ('irq: "gpio:irq"', "irq: 4", "board.yaml:11: devices.finger.lines.irq: expected controller:line"),
        ('{reset: "gpio:reset", irq: "gpio:irq"}', "gpio", "board.yaml:11: devices.finger.lines: expected a mapping"),
    ],
)
def test_a_line_that_ends_nowhere_is_told_with_file_line_and_key(read, old, new, expected):
    assert old in WIRED
    with pytest.raises(BoardError) as e:
        read(WIRED.replace(old, new))
    assert expected in str(e.value)


CABLED = GOOD.replace("devices:", """\
architecture: arm64
toolchain: aarch64-linux-gnu-
devicetrees: [maker/board.dtb]
cables:
  lan: ethernet
  wan: second
devices:
  second:
    driver: dm9000
    chip: dm9000
    slot: 2""")


def test_a_board_has_an_architecture_a_toolchain_devicetrees_and_any_number_of_cables(read):
    board = read(CABLED)
    assert (board.architecture, board.toolchain, board.devicetrees) == (
        "arm64", "aarch64-linux-gnu-", ("maker/board.dtb",))
    assert board.cables == {"lan": "ethernet", "wan": "second"}
    plain = read(GOOD)
    assert (plain.architecture, plain.toolchain, plain.devicetrees, plain.cables) == (
        "arm", "arm-linux-gnueabihf-", (), {})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("wan: second", "wan: secand", "board.yaml:8: cables.wan: no device named 'secand'; did you mean 'second'?"),
        ("wan: second", "wan: ethernet", "board.yaml:8: cables.wan: another cable is plugged into ethernet already"),
        ("wan: second", "dm9000: second", "board.yaml:8: cables.dm9000: a chip of this board has that name"),
        ("wan: second", "wan: 2", "board.yaml:8: cables.wan: expected a device's name, found 2"),
        ("maker/board.dtb", "/boot/board.dtb", "board.yaml:5: devicetrees: expected a .dtb of arch/<architecture>"),
        ("arm64", "64", "board.yaml:3: architecture: expected the kernel's ARCH, as arm, found 64"),
    ],
)
def test_a_mistake_in_cables_or_platform_names_file_line_and_key(read, old, new, expected):
    assert old in CABLED
    with pytest.raises(BoardError) as e:
        read(CABLED.replace(old, new))
    assert expected in str(e.value)
