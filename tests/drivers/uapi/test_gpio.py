"""GPIO controllers and lines: ioctl numbers, and the look-up in a sysfs tree."""
import errno

import pytest

from drivers.uapi import gpio


@pytest.fixture
def controllers(tmp_path, monkeypatch):
    """A controller gpiochip3 of the device virtio0, which is bound to gpio_virtio."""
    device = tmp_path / "devices" / "virtio0"
    (device / "gpiochip3").mkdir(parents=True)
    (tmp_path / "drivers" / "gpio_virtio").mkdir(parents=True)
    (device / "driver").symlink_to(tmp_path / "drivers" / "gpio_virtio")
    bus = tmp_path / "bus"
    bus.mkdir()
    (bus / "gpiochip3").symlink_to(device / "gpiochip3")
    monkeypatch.setattr(gpio, "_DEVICES", str(bus))
    return device


def test_ioctl_numbers_are_the_kernels():
    assert gpio.GET_CHIPINFO == 0x8044B401
    assert gpio.GET_LINEINFO == 0xC100B405


@pytest.mark.parametrize("name", ["gpio_virtio", "virtio0", "gpiochip3"])
def test_a_controller_is_found_by_its_driver_its_device_and_its_name(controllers, name):
    assert gpio.find(name) == ("gpiochip3", "virtio0", "gpio_virtio")
    assert gpio.path_of(name) == "/dev/gpiochip3"
    assert gpio.parent_of(name) == str(controllers)


def test_a_controller_that_is_not_there_is_enodev_with_a_list_of_those_that_are(controllers):
    with pytest.raises(OSError, match=r"there are: gpiochip3 \(gpio_virtio\)") as raised:
        gpio.find("pl061_gpio")
    assert raised.value.errno == errno.ENODEV


def test_a_line_is_found_by_its_name_and_by_label_and_offset(controllers, monkeypatch):
    monkeypatch.setattr(gpio, "_lines_of", lambda path: ("gph0", ["button", "", "led"]))
    assert gpio.find_line("led") == ("/dev/gpiochip3", 2)
    assert gpio.find_line("gph0-1") == ("/dev/gpiochip3", 1)
    with pytest.raises(FileNotFoundError, match="no GPIO controller has a line 'gph0-3'"):
        gpio.find_line("gph0-3")
