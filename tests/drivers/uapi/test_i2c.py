"""I2C adapters and clients in a sysfs tree."""
import errno

import pytest

from drivers.uapi import i2c


@pytest.fixture(autouse=True)
def devices(tmp_path, monkeypatch):
    """Two adapters; a client at 0x50 of the second one, bound to at24."""
    for number, name in ((0, "s3c2410-i2c"), (1, "other")):
        (tmp_path / f"i2c-{number}").mkdir()
        (tmp_path / f"i2c-{number}" / "name").write_text(name + "\n")
    (tmp_path / "1-0050").mkdir()
    (tmp_path / "at24").mkdir()
    (tmp_path / "1-0050" / "driver").symlink_to(tmp_path / "at24")
    monkeypatch.setattr(i2c, "_DEVICES", str(tmp_path))
    return tmp_path


def test_an_adapter_is_found_by_its_name_and_by_its_number():
    assert i2c.adapters() == {0: "s3c2410-i2c", 1: "other"}
    assert i2c.number_of("other") == i2c.number_of("1") == 1


def test_a_client_has_a_folder_and_a_driver(devices):
    assert i2c.client("other", 0x50) == f"{devices}/1-0050"
    assert i2c.driver_of("other", 0x50) == "at24"


def test_what_is_not_there_is_enodev():
    for look_up in (lambda: i2c.number_of("third"), lambda: i2c.client("other", 0x51)):
        with pytest.raises(OSError) as raised:
            look_up()
        assert raised.value.errno == errno.ENODEV
