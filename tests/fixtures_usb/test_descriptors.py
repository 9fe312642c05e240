"""A device is declared once; its descriptors' bytes follow."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.chips import find
from fixtures.usb import hid
from fixtures.usb.descriptors import Configuration, DeclarationError, Device, Endpoint, Hid, Interface, TransferType
from fixtures.usb.malformed import from_seed


def test_the_mouses_descriptors_are_these_bytes():
    found = find("mouse_24ae_2002")(interval_ms=10).declared.descriptors()
    assert {key: data.hex(" ") for key, data in found.items()} == {
        (1, 0): "12 01 10 01 00 00 00 08 ae 24 02 20 10 01 01 02 00 01",
        (2, 0): "09 02 22 00 01 01 00 a0 31"
                " 09 04 00 00 01 03 01 02 00"
                " 09 21 11 01 00 01 22 34 00"
                " 07 05 81 03 08 00 0a",
        (3, 0): "04 03 09 04",
        (3, 1): "0c 03 52 00 41 00 50 00 4f 00 4f 00",
        (3, 2): "36 03 52 00 61 00 70 00 6f 00 6f 00 20 00 32 00 2e 00 34 00 47 00 20 00 57 00 69 00 72 00 65 00 6c 00"
                " 65 00 73 00 73 00 20 00 44 00 65 00 76 00 69 00 63 00 65 00",
    }


def test_the_mouses_report_descriptor_is_these_bytes():
    report = find("mouse_24ae_2002")().declared.configurations[0].interfaces[0].hid.report
    assert report.hex(" ") == (
        "05 01 09 02 a1 01 09 01 a1 00 05 09 19 01 29 05 15 00 25 01 75 01 95 05 81 02 75 03 95 01 81 01"
        " 05 01 09 30 09 31 09 38 15 81 25 7f 75 08 95 03 81 06 c0 c0")


def test_a_receiver_with_two_interfaces_and_an_alternate_setting_counts_itself():
    keyboard = Interface(bInterfaceClass=3, bInterfaceSubClass=1, bInterfaceProtocol=1, hid=Hid(b"\x05\x01"),
                         endpoints=(Endpoint(0x81),))
    mouse = Interface(bInterfaceNumber=1, bInterfaceClass=3, endpoints=(Endpoint(0x82, wMaxPacketSize=4),))
    other = Interface(bInterfaceNumber=1, bAlternateSetting=1, iInterface="silent")
    configuration = Configuration((keyboard, mouse, other), self_powered=True, max_power_ma=2)
    device = Device(1, 2, (configuration,), iSerialNumber="7")
    assert device.strings == ("7", "silent")
    assert configuration.pack(device.strings).hex(" ") == (
        "09 02 3b 00 02 01 00 c0 01"
        " 09 04 00 00 01 03 01 01 00 09 21 11 01 00 01 22 02 00 07 05 81 03 08 00 0a"
        " 09 04 01 00 01 03 00 00 00 07 05 82 03 04 00 0a"
        " 09 04 01 01 00 ff 00 00 02")


@pytest.mark.parametrize("mistake", [
    lambda: Endpoint(0x80),
    lambda: Endpoint(0x91),
    lambda: Endpoint(0x81, bInterval=0),
    lambda: Endpoint(0x81, wMaxPacketSize=70000),
    lambda: Configuration((), max_power_ma=501),
    lambda: Configuration((), max_power_ma=99),
    lambda: Configuration((Interface((Endpoint(0x81), Endpoint(0x81))),)),
    lambda: Device(1, 2, (), bMaxPacketSize0=9),
    lambda: Device(0x10000, 2, ()),
    lambda: Device(1, 2, (), iProduct="x" * 127),
])
def test_what_cannot_be_is_refused_where_it_is_declared(mistake):
    with pytest.raises(DeclarationError):
        mistake()


def test_items_take_the_smallest_size_that_holds_their_value():
    assert hid.item(0x14, -127, signed=True) == b"\x15\x81"
    assert hid.item(0x24, 200, signed=True) == b"\x26\xc8\x00"
    assert hid.item(0x24, 0x10000) == b"\x27\x00\x00\x01\x00"
    assert hid.collection(hid.APPLICATION) == b"\xa1\x01\xc0"
    with pytest.raises(ValueError, match="does not fit"):
        hid.item(0x24, 1 << 33)


def test_bulk_endpoints_need_no_interval():
    assert Endpoint(0x02, 64, 0, TransferType.BULK).pack() == b"\x07\x05\x02\x02\x40\x00\x00"


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 1 << 32))
def test_a_seed_always_gives_the_same_malformed_descriptors(seed):
    declared = find("mouse_24ae_2002")().declared
    malformed, changes = from_seed(declared, seed)
    assert (malformed, changes) == from_seed(declared, seed)
    assert 1 <= len(changes) <= 3
    assert all(len(data) < 1024 for data in malformed.values())


def test_most_seeds_change_something():
    declared = find("mouse_24ae_2002")().declared
    own = {**declared.descriptors(), (0x22, 0): declared.configurations[0].interfaces[0].hid.report}
    malformed = [from_seed(declared, seed)[0] for seed in range(300)]
    assert sum(any(own[key] != data for key, data in changes.items()) for changes in malformed) > 250
