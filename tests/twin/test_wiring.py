"""What a new chip or its place in board.yaml has wrong is said in a line, before QEMU starts."""
import pytest

from bench import board
from bench.errors import BoardError, SetupError
from bench.target import agent_file
from bench.twin import Twin
from fixtures.chip import Chip

BOARD = """
description: a board with one thing wrong
compatible: bench,twin210
twin: {}
devices:
  i2c: {driver: s3c-i2c, chip: s3c2410_i2c, slot: 3}
  sensor: {driver: tmp102, chip: tmp102, bus: i2c, address: 0x48}
  other: {driver: other, %s}
"""


def twin(folder, other):
    (folder / "board.yaml").write_text(BOARD % other)
    return Twin(board.load(str(folder)), artefacts=None)


@pytest.mark.parametrize(("other", "what"), [
    ("chip: dm9000", "other: slot: missing; expected a PCI slot of the twin, for the registers of dm9000"),
    ("chip: at24c02, bus: i2c, address: 0x48", "other: chip at24c02 behind i2c: I2C address 0x48 belongs to"),
    ("chip: at24c02, bus: i2c, address: 0x3", "other: chip at24c02 behind i2c: I2C address 0x3: expected one from"),
    ("chip: elan, bus: i2c, address: 0x49", "other: chip elan behind i2c: elan is no fixtures.i2c.Slave"),
    ("chip: dm9000, bus: i2c, address: 0x49", "other: chip dm9000 behind i2c: .* has transport = \"\" in its class"),
    ("chip: at24c02, bus: sensor, address: 0x49", "other: chip at24c02 behind sensor: tmp102 has no bus for a at24c02"),
    ("chip: pcf8563, bus: i2c, address: 0x51, options: {batery: no}", "other.options: .*unexpected keyword.*batery"),
])
def test_a_chip_in_the_wrong_place_is_told_by_its_device(tmp_path, other, what):
    with pytest.raises(BoardError, match="board.yaml: devices." + what):
        twin(tmp_path, other)


@pytest.mark.parametrize(("text", "what"), [
    ("rtc@{address:x} {\n\t{properties}\n};\n", r"chip\.dtsi: .*own braces stand twice, \{\{ and \}\}"),
    ("rtc@{adress:x} {{\n}};\n", r"chip\.dtsi: KeyError\('adress'\): .* one of address, properties, spi"),
    (None, r"chip\.dtsi: No such file or directory; expected the devicetree node of the lamp"),
])
def test_a_devicetree_node_that_cannot_be_filled_in_is_told_by_its_file(tmp_path, text, what):
    class Lamp(Chip):
        name = "lamp"
        folder = classmethod(lambda cls: tmp_path)

    if text:
        (tmp_path / "chip.dtsi").write_text(text)
    with pytest.raises(ValueError, match=what):
        Lamp().devicetree(0x51, 0)


def test_a_folder_that_the_target_could_not_import_is_told(tmp_path, monkeypatch):
    (tmp_path / "new").mkdir()
    for name in ("__init__.py", "new/calls.py"):
        (tmp_path / name).write_text("")
    monkeypatch.setattr(agent_file.drivers, "__path__", [str(tmp_path)])
    with pytest.raises(SetupError, match=r"new/__init__\.py is missing"):
        agent_file.build()


CABLES = """
description: a board with two ports
compatible: bench,twin210
twin: {}
cables: {lan: ethernet, wan: second}
devices:
  ethernet: {driver: dm9000, chip: dm9000, slot: 1}
  second: {driver: dm9000, chip: %s, slot: 2}
"""


def test_each_chip_is_plugged_into_its_own_cable(tmp_path):
    (tmp_path / "board.yaml").write_text(CABLES % "dm9000")
    two = Twin(board.load(str(tmp_path)), artefacts=None)
    assert list(two.cables) == ["lan", "wan"]
    assert two.chips["ethernet"].cable is two.cables["lan"]
    assert two.chips["second"].cable is two.cables["wan"]
    two.cables["lan"].link = False
    assert (two.cables["lan"].link, two.cables["wan"].link) == (False, True)


def test_a_cable_at_a_chip_without_a_port_is_a_mistake(tmp_path):
    (tmp_path / "board.yaml").write_text(CABLES % "samsung_pwm")
    with pytest.raises(BoardError, match="cables: chip samsung_pwm of second has no port for a cable"):
        Twin(board.load(str(tmp_path)), artefacts=None)
