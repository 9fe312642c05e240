"""What a USB device answers, and what its faults make of that."""
import time

import pytest

from fixtures.chips import find
from fixtures.usb.requests import Reply, Setup, Speed, Status

GET_DEVICE = Setup(0x80, 6, 0x0100, 0, 18)
STALL = Reply(Status.STALL)


@pytest.fixture
def mouse():
    device = find("mouse_24ae_2002")()
    device.control(Setup.set_configuration(1))
    device.start(0x81)
    device.clear()
    return device


def reports(mouse, count=100):
    """What the host fetches until there is nothing more."""
    found = []
    while (transfer := mouse.poll(0x81)) is not None and len(found) < count:
        found.append(transfer)
    return found


def test_an_unconfigured_device_has_no_interface():
    device = find("mouse_24ae_2002")()
    assert device.control(Setup.get_configuration()) == (Status.OK, b"\0")
    assert device.control(Setup.get_interface(0)) == STALL
    assert device.control(Setup(0x81, 6, 0x2200, 0, 100)) == STALL
    assert not device.start(0x81)
    assert device.control(Setup.set_configuration(2)) == STALL


def test_answers_are_cut_to_what_was_asked_for(mouse):
    assert mouse.control(GET_DEVICE._replace(wLength=8)) == (Status.OK, bytes.fromhex("1201100100000008"))


def test_what_a_device_does_not_have_is_stalled(mouse):
    for setup in (Setup(0x80, 6, 0x0600, 0, 10), Setup(0xC0, 1, 0, 0, 1), Setup.set_interface(0, 1),
                  Setup(0x00, 3, 2, 0, 0), Setup(0x02, 3, 0, 0x82, 0), Setup(0x80, 6, 0x0303, 0x409, 255)):
        assert mouse.control(setup) == STALL


def test_a_halted_endpoint_stalls_until_it_is_cleared(mouse):
    assert mouse.control(Setup(0x02, 3, 0, 0x81, 0)) == (Status.OK, b"")
    assert mouse.control(Setup(0x82, 0, 0, 0x81, 2)) == (Status.OK, b"\1\0")
    assert mouse.poll(0x81) == (Status.STALL, b"")
    assert mouse.poll(0x81) is None  # nobody asks a halted endpoint again
    mouse.control(Setup(0x02, 1, 0, 0x81, 0))
    mouse.start(0x81)
    mouse.move(dx=1)
    assert mouse.poll(0x81) == (Status.OK, b"\0\1\0\0")


def test_remote_wakeup_is_remembered_until_a_reset(mouse):
    mouse.control(Setup(0x00, 3, 1, 0, 0))
    assert mouse.control(Setup(0x80, 0, 0, 0, 2)) == (Status.OK, b"\2\0")
    mouse.bus_reset()
    assert mouse.control(Setup(0x80, 0, 0, 0, 2)) == (Status.OK, b"\0\0")
    assert mouse.configuration is None


def test_what_a_hand_does_becomes_reports(mouse):
    mouse.press("left", "middle")
    mouse.move(dx=-127, dy=127, wheel=-1)
    mouse.release("left")
    mouse.release()
    assert [t.data for t in reports(mouse)] == [b"\5\0\0\0", b"\5\x81\x7f\xff", b"\4\0\0\0", b"\0\0\0\0"]
    with pytest.raises(ValueError, match="no button 'fourth'; expected one of left, right"):
        mouse.press("fourth")


def test_in_boot_protocol_there_is_no_wheel(mouse):
    assert mouse.control(Setup(0x21, 11, 0, 0, 0)) == (Status.OK, b"")
    mouse.move(1, 2, 3)
    assert [t.data for t in reports(mouse)] == [b"\0\1\2"]
    assert mouse.control(Setup(0xA1, 3, 0, 0, 1)) == (Status.OK, b"\0")
    assert mouse.control(Setup(0x21, 11, 7, 0, 0)) == STALL


def test_a_report_longer_than_a_packet_is_babble(mouse):
    mouse.send(bytes(9))
    assert reports(mouse) == [(Status.BABBLE, bytes(8))]


def test_nothing_waits_in_a_device_that_is_pulled_out(mouse):
    mouse.move(dx=1)
    mouse.unplug()
    mouse.move(dx=1)
    mouse.plug()
    assert mouse.wait_until_sent(0)
    assert mouse.seen("plug", "unplug") == [("unplug",), ("plug",)]


def test_it_is_put_back_as_it_was_made(mouse):
    assert mouse.restore() is True  # the host listened
    assert mouse.restore() is False
    mouse.halt(0x81)
    assert mouse.restore() is True
    mouse.become(speed="low", overrides={(1, 0): b"\x12"})
    assert (mouse.speed, mouse.control(GET_DEVICE).data) == (Speed.LOW, b"\x12")
    assert mouse.restore() is True
    assert (mouse.speed, len(mouse.control(GET_DEVICE).data)) == (Speed.FULL, 18)


@pytest.mark.parametrize(("fault", "sent"), [
    ("nak_for_ever", []),
    ("lose_reports", [1, 2, 4, 5]),
    ("duplicate_reports", [1, 2, 3, 3, 4, 5, 6, 6]),
    ("reorder_reports", [1, 2, 4, 3, 5, 6]),
    ("corrupt_reports", [1, 2, 2, 4, 5, 7]),
    ("phantom_reports", [1, 1, 2, 1, 3, 1, 4, 1, 5, 1, 6, 1]),
])
def test_faults_of_reports_show_in_what_is_sent(mouse, fault, sent):
    with mouse.faults.switched_on(fault):
        mouse.play([(dx, 0, 0) for dx in range(1, 7)])
        assert [transfer.data[1] for transfer in reports(mouse)] == sent


@pytest.mark.parametrize(("fault", "setup", "reply"), [
    ("stall_every_request", GET_DEVICE, STALL),
    ("control_error", GET_DEVICE, Reply(Status.ERROR)),
    ("control_mute", GET_DEVICE, None),
    ("strings_missing", Setup(0x80, 6, 0x0301, 0x409, 255), STALL),
    ("unknown_requests_accepted", Setup(0xC0, 1, 0, 0, 3), Reply(Status.OK, bytes(3))),
    ("alternate_setting_accepted", Setup.set_interface(0, 1), Reply(Status.OK)),
    ("remote_wakeup_refused", Setup(0x00, 3, 1, 0, 0), STALL),
    ("idle_refused", Setup(0x21, 10, 0, 0, 0), STALL),
])
def test_faults_of_requests_show_in_the_answer(mouse, fault, setup, reply):
    assert mouse.control(setup) != reply
    with mouse.faults.switched_on(fault):
        assert mouse.control(setup) == reply


@pytest.mark.parametrize(("fault", "kind", "at", "value"), [
    ("wrong_product_id", 1, 10, 3),
    ("wrong_total_length", 2, 2, 27),
    ("wrong_descriptor_length", 2, 9, 2),
    ("wrong_endpoint_address", 2, 29, 0x83),
    ("wrong_interval", 2, 33, 64),
])
def test_faults_of_descriptors_change_one_byte(mouse, fault, kind, at, value):
    setup = Setup(0x80, 6, kind << 8, 0, 255)
    own = mouse.control(setup).data
    with mouse.faults.switched_on(fault):
        lie = mouse.control(setup).data
    assert (lie[at], lie[:at] + lie[at + 1:]) == (value, own[:at] + own[at + 1:])


def test_every_fault_says_what_goes_wrong(mouse):
    assert len(mouse.faults.names()) >= 30
    assert all(text.endswith(".") for text in mouse.faults.describe().values())


def test_a_device_pulled_out_in_a_transfer_never_answers_it(mouse):
    with mouse.faults.switched_on("disconnect_in_transfer"):
        assert mouse.control(GET_DEVICE) is None
    assert not mouse.plugged


def sends(*steps, buttons=()):
    """What arrives of motions, with these buttons held."""
    def play(mouse):
        mouse.press(*buttons)
        mouse.play(steps)
        return [transfer.data for transfer in reports(mouse)][1:]

    return play


def boot(mouse):
    mouse.control(Setup(0x21, 11, 0, 0, 0))
    mouse.move(1, 2, 3)
    return [transfer.data for transfer in reports(mouse)]


def halted(mouse):
    mouse.control(Setup(0x02, 3, 0, 0x81, 0))
    return mouse.control(Setup(0x82, 0, 0, 0x81, 2)).data


def halted_and_cleared(mouse):
    halted(mouse)
    mouse.control(Setup(0x02, 1, 0, 0x81, 0))
    return mouse.control(Setup(0x82, 0, 0, 0x81, 2)).data


def may_wake(mouse):
    return [mouse.control(Setup(0x00, 3, 1, 0, 0)), mouse.control(Setup(0x80, 0, 0, 0, 2))]


def after_reset(mouse):
    mouse.bus_reset()
    return mouse.control(Setup.get_configuration())


def configured(mouse):
    mouse.bus_reset()
    mouse.control(Setup.set_configuration(1))
    return mouse.control(Setup.get_configuration()).data


def pulled(mouse):
    mouse.unplug()
    return mouse.plugged


def plugged_again(mouse):
    mouse.replug()
    return mouse.plugged


def fetched(mouse):
    """How four reports' transfers end."""
    mouse.play([(dx, 0, 0) for dx in range(1, 5)])
    return [transfer.status for transfer in reports(mouse)]


OK = Reply(Status.OK)
REST = {
    "axes_swapped": (sends((1, 2, 0)), [b"\0\1\2\0"], [b"\0\2\1\0"]),
    "axis_inverted": (sends((1, 2, 0)), [b"\0\1\2\0"], [b"\0\1\xfe\0"]),
    "motion_clipped": (sends((100, -100, 0)), [b"\0\x64\x9c\0"], [b"\0\x40\xc0\0"]),
    "wheel_dead": (sends((1, 0, 5)), [b"\0\1\0\5"], [b"\0\1\0\0"]),
    "button_stuck": (sends((1, 0, 0), buttons=["right"]), [b"\2\1\0\0"], [b"\3\1\0\0"]),
    "buttons_dead": (sends((1, 0, 0), buttons=["right"]), [b"\2\1\0\0"], [b"\0\1\0\0"]),
    "short_reports": (sends((1, 2, 3)), [b"\0\1\2\3"], [b"\0\1\2"]),
    "protocol_ignored": (boot, [b"\0\1\2"], [b"\0\1\2\3"]),
    "wrong_report_size": (boot, [b"\0\1\2"], [b"\0\1\2\3"]),
    "babble": (fetched, [Status.OK] * 4, [*[Status.OK] * 3, Status.BABBLE]),
    "endpoint_stalls": (fetched, [Status.OK] * 4, [*[Status.OK] * 3, Status.STALL]),
    "halt_ignored": (halted, b"\1\0", b"\0\0"),
    "halt_not_reported": (halted, b"\1\0", b"\0\0"),
    "halt_not_cleared": (halted_and_cleared, b"\0\0", b"\1\0"),
    "remote_wakeup_lost": (may_wake, [OK, Reply(Status.OK, b"\2\0")], [OK, Reply(Status.OK, b"\0\0")]),
    "reset_ignored": (after_reset, Reply(Status.OK, b"\0"), Reply(Status.OK, b"\1")),
    "configuration_lost": (configured, b"\1", b"\0"),
    "device_descriptor_short": (lambda mouse: len(mouse.control(GET_DEVICE).data), 18, 10),
    "unplug_lost": (pulled, False, True),
    "replug_lost": (plugged_again, True, False),
    "reports_slow": (lambda mouse: mouse.interval_s(mouse.endpoint(0x81)), 0.008, 0.04),
}


@pytest.mark.parametrize("fault", REST)
@pytest.mark.parametrize("on", [False, True], ids=["good", "fault"])
def test_a_fault_shows_as_it_says(mouse, fault, on):
    action, good, bad = REST[fault]
    if on:
        mouse.faults.set(fault)
    assert action(mouse) == (bad if on else good)


def test_the_cable_can_fail_and_delay_the_nth_transfer_of_any_kind(mouse):
    mouse.faults.set("bus_fail", nth=2)
    mouse.move(dx=1)
    assert mouse.control(GET_DEVICE).status is Status.OK
    assert mouse.poll(0x81) == (Status.ERROR, b"")
    assert mouse.control(GET_DEVICE).status is Status.OK
    mouse.faults.set("bus_delay", nth=1)
    begun = time.monotonic()
    mouse.control(GET_DEVICE)
    assert time.monotonic() - begun > 0.05
