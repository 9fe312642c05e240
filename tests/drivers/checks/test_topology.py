"""Which device is below which."""
import pytest

from drivers.checks.topology import bound_parent

DEVICES = [
    {"name": "platform", "path": "/sys/devices/platform", "driver": "simple-bus"},
    {"name": "a000000.virtio_mmio", "path": "/sys/devices/platform/a000000.virtio_mmio", "driver": "virtio-mmio"},
    {"name": "virtio0", "path": "/sys/devices/platform/a000000.virtio_mmio/virtio0", "driver": "gpio_virtio"},
    {"name": "reg-dummy", "path": "/sys/devices/faux/reg-dummy", "driver": "reg-dummy"},
]


def test_the_bound_parent_is_the_nearest_ancestor_with_a_driver():
    assert bound_parent(DEVICES, "virtio0")["driver"] == "virtio-mmio"


def test_a_device_without_a_bound_ancestor_is_a_lookup_error():
    with pytest.raises(LookupError, match="reg-dummy is below no device that has a driver"):
        bound_parent(DEVICES, "reg-dummy")
