"""usbmon beside a call, for real: the twin's mouse, its kernel's /dev/usbmonN, and the clocks of both."""
import pytest

from bench import Rig
from bench.capture import urb
from bench.capture.usbmon import UsbCapture
from bench.errors import Inconclusive, UsageError
from drivers.mouse.checks.contracts import every_urb_is_given_back, submitted

DEVICE_IN, GET_DESCRIPTOR, CONFIGURATION = 0x80, 6, 2
HID_OUT, SET_REPORT = 0x21, 9


@pytest.fixture(scope="module")
def rig():
    with Rig("twin210") as rig:
        yield rig


def read_configuration(usb, times):
    return usb.requests(wanted=[[DEVICE_IN, GET_DESCRIPTOR, CONFIGURATION << 8, 0, 34]] * times)


def test_a_request_is_one_urb_with_its_setup_and_its_answer(rig):
    answer = read_configuration(rig.usb.recording("usb"), 3)
    setup = bytes.fromhex("80 06 00 02 00 00 22 00")
    mine = [one for one in urb.pairs(answer.capture("usb").urbs) if one[0] and one[0].setup == setup]
    assert [(done.status, done.data) for _, done in mine] == [(0, data) for data in answer.value]
    assert urb.unpaired(answer.capture("usb").urbs) == []


def test_usbmon_and_the_trace_tell_the_same_time_within_the_error_that_is_told(rig):
    answer = read_configuration(rig.usb.tracing(every_urb_is_given_back).recording("usb"), 20)
    assert 0 < answer.capture("usb").error_ns < 1_000_000
    probed = answer.trace[submitted.event]
    by_probe = {}
    for time, number in zip(probed["ts"].tolist(), probed["urb"].tolist(), strict=True):
        by_probe.setdefault(number, []).append(time)
    by_usbmon = {}
    for one in answer.capture("usb").urbs:
        if one.kind == "S":
            by_usbmon.setdefault(one.id, []).append(one.at_ns)
    late = [usbmon_ns - probe_ns for number, times in by_usbmon.items()
            for probe_ns, usbmon_ns in zip(by_probe[number], times, strict=True)]
    # usb_hcd_submit_urb tells usbmon first thing: never before its entry, and soon when nothing interrupts.
    assert len(late) >= 20
    assert min(late) >= -answer.capture("usb").error_ns
    assert min(late) <= answer.capture("usb").error_ns + 1_000_000


def test_a_ring_that_is_too_small_makes_what_depends_on_it_inconclusive(rig):
    recorded = rig.usb.recording("usb", ring_bytes=8 << 10)
    answer = recorded.requests(wanted=[[HID_OUT, SET_REPORT, 0x200, 0, bytes(1500)]] * 40)
    capture = answer.capture("usb")
    assert len(answer.value) == 40
    assert capture.lost > 0
    with pytest.raises(Inconclusive, match=rf"usbmon dropped {capture.lost} packets of bus 1"):
        _ = capture.urbs


def test_a_ring_that_the_kernel_refuses_is_a_capture_that_is_missing(rig):
    answer = read_configuration(rig.usb.recording("usb", ring_bytes=4 << 10), 1)
    with pytest.raises(Inconclusive, match="no recording of the bus: usbmon of bus 1: Invalid argument"):
        _ = answer.capture("usb").urbs


def test_a_device_that_is_not_plugged_in_has_all_buses_recorded(rig):
    answer = rig.usb.recording("usb").devnum(vendor=0x1209, product=1)
    capture = answer.capture("usb")
    assert (answer.value, capture.bus, capture.device, capture.missing) == (0, 0, 0, "")


def test_urbs_that_nobody_recorded_are_a_mistake_of_the_check(rig):
    with pytest.raises(UsageError, match=r"usb.devnum: usb was not recorded; call it with `\.recording\(.usb.\)`"):
        _ = rig.usb.devnum().capture("usb")


def test_a_recorder_or_setting_that_does_not_exist_is_a_mistake_of_the_check(rig):
    with pytest.raises(UsageError, match=r"no recorder named 'ubs'; did you mean 'usb'\?"):
        rig.usb.recording("ubs")
    with pytest.raises(UsageError, match=r"no setting of recorder usb named 'ring'; did you mean 'ring_bytes'\?"):
        rig.usb.recording("usb", ring=1)
    with pytest.raises(UsageError, match=r"recorder usb needs vendor, which this call does not take"):
        rig.agent.recording("usb").noop()


def test_the_log_clock_is_known_to_better_than_a_millisecond(rig):
    offset, error = rig.kernel.snapshot().value["log_clock"]
    assert 0 < error < 1_000_000
    assert abs(offset) < 60_000_000_000


def test_a_capture_is_kept_as_a_pcap_and_read_again(rig, tmp_path):
    usb = read_configuration(rig.usb.recording("usb"), 2).capture("usb")
    usb.save(tmp_path / "usb.pcap")
    assert UsbCapture.load(tmp_path / "usb.pcap") == (usb.data, False)
    assert (tmp_path / "usb.pcap").read_bytes()[20:24] == (220).to_bytes(4, "little")
