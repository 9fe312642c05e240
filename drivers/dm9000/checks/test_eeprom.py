"""The EEPROM through ethtool, and the address that the driver takes from it at probe."""
from __future__ import annotations

import errno

import pytest


@pytest.fixture
def eeprom(dm9000_chip):
    """The chip's EEPROM, as it was again afterwards."""
    was = bytes(dm9000_chip.eeprom.data)
    yield dm9000_chip.eeprom
    dm9000_chip.eeprom.data[:] = was


@pytest.fixture
def bound_again(dm9000, net, eeprom):
    """Bind the driver again when the check is over and the EEPROM is restored."""
    was = bytes(eeprom.data)
    yield
    eeprom.data[:] = was
    _ = dm9000.rebind().value


@pytest.mark.fault("dm9000:eeprom_bit_flip", "dm9000:eeprom_bad", "dm9000:eeprom_busy")
def test_ethtool_reads_the_eeprom_as_it_is(net, dm9000, eeprom):
    answer = net.read_eeprom().value
    assert answer["magic"] == dm9000.eeprom_magic().value
    assert answer["data"] == bytes(eeprom.data)
    assert net.read_eeprom(offset=6, length=4).value["data"] == bytes(eeprom.data[6:10])


@pytest.mark.fault("dm9000:eeprom_write_lost", "dm9000:eeprom_bit_flip")
def test_ethtool_writes_eeprom_words_and_single_bytes_and_nothing_else(net, dm9000, eeprom):
    before = bytes(eeprom.data)
    magic = dm9000.eeprom_magic().value
    for offset, data in ((64, b"\x12\x34\x56\x78"), (71, b"\xab"), (73, b"\x01\x02\x03")):
        assert net.write_eeprom(offset=offset, data=data, magic=magic).errno == 0
    expected = bytearray(before)
    expected[64:68], expected[71], expected[73:76] = b"\x12\x34\x56\x78", 0xAB, b"\x01\x02\x03"
    assert bytes(eeprom.data) == expected
    assert net.read_eeprom().value["data"] == expected


@pytest.mark.fault("dm9000:eeprom_bad")
def test_invalid_eeprom_offsets_lengths_and_magic_are_einval(net, dm9000, eeprom):
    before = bytes(eeprom.data)
    magic = dm9000.eeprom_magic().value
    assert net.read_eeprom(offset=1, length=2).errno == errno.EINVAL
    assert net.read_eeprom(offset=0, length=3).errno == errno.EINVAL
    assert net.read_eeprom(offset=126, length=4).errno == errno.EINVAL
    assert net.write_eeprom(offset=0, data=b"\0\0", magic=magic ^ 1).errno == errno.EINVAL
    assert net.write_eeprom(offset=126, data=bytes(4), magic=magic).errno == errno.EINVAL
    assert bytes(eeprom.data) == before
    assert net.read_eeprom(offset=126, length=2).value["data"] == b"\xff\xff"
    assert net.read_eeprom(offset=0, length=2).value["data"] == before[:2]


@pytest.mark.fault("dm9000:eeprom_bit_flip", "dm9000:eeprom_busy")
def test_the_mac_address_comes_from_the_eeprom(net, dm9000, dm9000_chip, eeprom, bound_again):
    eeprom.data[:6] = bytes.fromhex("0211223344a5")
    state = dm9000.rebind().value[0]
    assert net.identity().value["address"] == "02:11:22:33:44:a5"
    probe = dm9000.probe_line().value
    assert (probe["mac"], probe["source"], probe["interface"]) == (
        "02:11:22:33:44:a5",
        "eeprom",
        state["interface"],
    )
    assert dm9000_chip.seen("reset") and state["handlers"] == 1


@pytest.mark.parametrize("words", ["ffffffffffff", "000000000000", "030000000001"])
@pytest.mark.fault("dm9000:wrong_chip_id")
def test_an_invalid_mac_address_in_the_eeprom_is_ignored(net, dm9000, eeprom, bound_again, words):
    eeprom.data[:6] = bytes.fromhex(words)
    _ = dm9000.rebind().value
    probe = dm9000.probe_line().value
    address = net.identity().value["address"]
    assert probe["source"] in ("platform data", "chip", "random") and probe["mac"] == address
    assert (
        address.replace(":", "") != words
        and not int(address[:2], 16) & 1
        and address != "00:00:00:00:00:00"
    )


@pytest.mark.fault("dm9000:wrong_chip_id", "dm9000:mac_registers_stuck")
def test_the_mac_address_comes_from_the_devicetree_without_eeprom(
    net, dm9000, endpoints, cable, eeprom, bound_again
):
    wanted = net.identity().value["devicetree_address"]
    if not wanted:
        pytest.skip("this board's devicetree has no local-mac-address")
    eeprom.data[:6] = b"\xff" * 6
    _ = dm9000.rebind().value
    probe = dm9000.probe_line().value
    assert (probe["mac"], probe["source"]) == (wanted, "platform data")
    moved = net.set_up_link(
        address=endpoints.ip, partner=endpoints.partner_ip, partner_mac=endpoints.partner_mac
    ).value
    assert moved["mac"] == wanted
    assert len(net.ping(address=endpoints.partner_ip, count=1).value) == 1


@pytest.mark.fault("dm9000:wrong_chip_id", "dm9000:eeprom_bit_flip")
def test_the_mac_address_comes_from_the_chip_without_eeprom_and_devicetree(
    net, dm9000, kernel, cable, dm9000_chip, eeprom, bound_again
):
    """A boot loader's address is still in PAR; dm9000_probe reads it as the source "chip"."""
    who = net.identity().value
    _ = net.set_link(up=False).value
    if who["devicetree_address"]:
        hide = f"node={who['of_node']} property=local-mac-address"
        assert kernel.load_module(name="hide_property", options=hide).errno == 0
    try:
        eeprom.data[:6] = b"\xff" * 6
        par = next(
            register for register in dm9000_chip.registers if type(register).__name__ == "PAR"
        )
        par.value = int.from_bytes(bytes.fromhex("02ab12cd34ef"), "little")
        _ = dm9000.rebind(up=False).value
        probe = dm9000.probe_line().value
    finally:
        _ = kernel.unload_module(name="hide_property").value
    assert (probe["mac"], probe["source"]) == ("02:ab:12:cd:34:ef", "chip")


@pytest.mark.fault("dm9000:wrong_chip_id")
def test_a_busy_eeprom_times_out_and_the_driver_probes(
    net, dm9000, dm9000_chip, eeprom, bound_again, measure
):
    with dm9000_chip.faults.switched_on("eeprom_busy"):
        state = dm9000.rebind().value[0]
    measure("bind with a busy EEPROM", state["seconds"], "s", limit=3.0)
    assert net.link().value["up"] is True


@pytest.mark.parametrize("revision", ["A", "B"])
@pytest.mark.fault("dm9000:wrong_revision")
def test_probe_detects_the_chip_revision(net, dm9000, dm9000_chip, bound_again, revision):
    was = dm9000_chip.revision
    dm9000_chip.revision = revision
    dm9000_chip.reset()
    try:
        _ = dm9000.rebind().value
        probe = dm9000.probe_line().value
        offloads = net.features().value["rx-checksum"]["available"]
    finally:
        dm9000_chip.revision = was
        dm9000_chip.reset()
    assert (probe["revision"], offloads) == (revision.lower(), True)
