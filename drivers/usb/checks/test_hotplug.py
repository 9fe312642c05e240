"""Hotplug, disconnect during I/O, runtime suspend with remote wakeup."""
from __future__ import annotations

import contextlib
import errno

import pytest

from drivers.checks.replug import put_back

ENDPOINT = 0x81
# libusb reports a disconnect either way: the transfer failed, or the device is known to be gone.
GONE = (errno.ENODEV, errno.EIO)
OLD_SCHEME, FAST_ENUM = 1, 2  # USB_PORT_QUIRK_…
SET_FEATURE, CLEAR_FEATURE, REMOTE_WAKEUP = 3, 1, 1
NOISE = r"usb \d-\d: |usb usb\d-port\d: |usbhid |hid-generic "


def cycle(usb, pointer, timeout_s=5.0):
    """Unplug and plug the device.

    The actions of its uevents, and the seconds until it was bound.
    """
    with usb.hotplug_events(count=1, action="bind", timeout_s=timeout_s) as uevents:
        pointer.replug()
    seconds = uevents.value[-1]["at_s"] if uevents.value else timeout_s
    return [event["action"] for event in uevents.value], seconds


@contextlib.contextmanager
def enumerated(usb, quirks):
    """Set the port's enumeration quirks for the length of a with statement."""
    port, was = usb.port_quirks(quirks=quirks).value
    try:
        yield
    finally:
        _ = usb.port_quirks(quirks=was, port=port).value


@pytest.mark.fault(
    "mouse_24ae_2002:replug_lost",
    "mouse_24ae_2002:unplug_lost",
    "mouse_24ae_2002:stall_every_request",
)
@pytest.mark.expects(splat=NOISE)
def test_each_unplug_and_plug_is_one_uevent(usb, pointer, measure):
    actions, seconds = cycle(usb, pointer, timeout_s=3.0)
    measure("unplug and plug", seconds, "s")
    assert [action for action in actions if action in ("add", "remove")] == ["remove", "add"]
    assert list(usb.wait_plugged(driver="usbhid").value.values()) == ["usbhid"]


@pytest.mark.slow(25)
@pytest.mark.fault("mouse_24ae_2002:replug_lost")
@pytest.mark.parametrize(
    "quirks", [FAST_ENUM, FAST_ENUM | OLD_SCHEME], ids=["new scheme", "old scheme"]
)
def test_hotplug_50_times_with_each_enumeration_scheme(usb, pointer, measure, quirks):
    """FAST_ENUM: no longer reset recovery than USB 2.0 requires.

    A replug is mostly waiting: QEMU's 200 ms before it attaches a device again, the hub driver's
    debounce of 100 ms, 70 ms for each reset.
    """
    slowest = 0.0
    with enumerated(usb, quirks):
        for turn in range(50):
            if turn % 10 == 5:  # during a transfer
                with usb.read_until_unplugged(endpoint=ENDPOINT, timeout_s=2.0) as ended:
                    pointer.unplug()
                assert ended.value["errno"] in GONE
            actions, seconds = cycle(usb, pointer)
            assert actions.count("add") == 1
            slowest = max(slowest, seconds)
            assert list(usb.wait_plugged(driver="usbhid").value.values()) == ["usbhid"]
    measure("slowest of 50 replugs", slowest, "s")


@pytest.mark.fault("mouse_24ae_2002:unplug_lost")
def test_a_pending_read_ends_at_disconnect(usb, pointer, measure):
    with usb.read_until_unplugged(endpoint=ENDPOINT, timeout_s=2.0) as ended:
        pointer.unplug()
    assert ended.value["errno"] in GONE
    measure("read ended", ended.value["seconds"], "s", limit=1.0)


@pytest.mark.slow
@pytest.mark.fault("mouse_24ae_2002:replug_lost", "mouse_24ae_2002:unplug_lost")
@pytest.mark.expects(splat=NOISE)
def test_a_device_disconnected_during_a_request_reenumerates(usb, pointer):
    pointer.faults.set("disconnect_in_transfer", limit=1)
    assert usb.configuration().errno in GONE
    assert list(put_back(usb, pointer).value.values()) == ["usbhid"]


@pytest.mark.fault("mouse_24ae_2002:remote_wakeup_refused", "mouse_24ae_2002:remote_wakeup_lost")
@pytest.mark.expects(splat=NOISE)
def test_remote_wakeup_is_enabled_on_suspend_and_disabled_on_resume(usb, mouse, pointer, measure):
    with mouse.suspend_while_open(timeout_s=3.0) as suspend:
        pass
    assert suspend.value["suspended"]
    measure("suspended", suspend.value["seconds"], "s")
    features = [
        event[2:4] for event in pointer.seen("control") if event[1] == 0 and event[2] in (1, 3)
    ]
    assert features == [(SET_FEATURE, REMOTE_WAKEUP), (CLEAR_FEATURE, REMOTE_WAKEUP)]
    assert usb.power().value["runtime_status"] == "active"
