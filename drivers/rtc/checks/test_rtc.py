"""A real-time clock: set and read, rollovers, the low-voltage flag, alarms."""
import calendar
import errno
import time

import pytest

from drivers.checks import i2c_contracts as i2c
from drivers.rtc.checks import contracts

RTC_VL_DATA_INVALID = 1


def seconds_of(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


def written(chip):
    """Register → byte written to the chip since `clear`, however the writes were split into
    transfers.
    """
    return {
        data[0] + place: byte
        for _, data in chip.seen("write")
        for place, byte in enumerate(data[1:])
    }


@pytest.fixture
def still(rtc, pcf8563_chip):
    """The chip, stopped: seconds pass only where the check advances it.

    It runs again at the end.
    """
    pcf8563_chip.running = False
    pcf8563_chip.set_time()
    _ = rtc.read().errno  # the driver keeps the century bit that it reads: 0 here
    pcf8563_chip.clear()
    yield pcf8563_chip
    pcf8563_chip.second_passes_after(0)  # none
    pcf8563_chip.running = True
    pcf8563_chip.set_time()


@pytest.fixture
def second_begins(rtc, rig):
    """A second of the RTC has just begun."""
    if "pcf8563" in rig.chips:
        rig.chip("pcf8563").running = True
    else:
        _ = rtc.wait_for_ticks(changes=1).value


@pytest.fixture
def no_alarm(rtc):
    """No alarm is left at the end."""
    yield
    _ = rtc.disable_alarm().errno


@pytest.mark.fault("pcf8563:absent", "s3c2410_i2c:nack_address")
def test_probe_disables_timer_interrupts_and_clkout(rtc, pcf8563_chip):
    driver = rtc.device.driver
    assert rtc.rebind(driver=driver).value == driver
    identity = rtc.identity().value
    assert identity["driver"] == driver and identity["name"].startswith(driver + " ")
    assert written(pcf8563_chip) == {0x0E: 0x03, 0x01: 0x00, 0x0D: 0x00}
    assert pcf8563_chip.clkout_hz == 0
    assert pcf8563_chip.violations == []


@pytest.mark.fault(
    "pcf8563:write_lost",
    "pcf8563:bit_flip",
    "pcf8563:address_not_stored",
    "s3c2410_i2c:corrupt_write",
    "s3c2410_i2c:corrupt_read",
)
def test_set_time_writes_bcd_to_the_chip_and_reads_back(rtc, still):
    seconds = 1709246096  # 2024-02-29 22:34:56
    is_set, is_read = (
        contracts.rtc_set_time_sets.bind(seconds=seconds),
        contracts.rtc_read_time_returns.bind(seconds=seconds),
    )
    setting = rtc.tracing(is_set, i2c.every_transfer_completes).set_time(to="2024-02-29 22:34:56")
    assert setting.errno == 0
    assert is_set(setting) and i2c.every_transfer_completes(setting)
    assert [written(still).get(register) for register in range(2, 9)] == [
        0x56,
        0x34,
        0x22,
        0x29,
        0x04,
        0x02,
        0x24,
    ]
    assert still.time == "24-02-29 22:34:56"
    reading = rtc.tracing(is_read).read()
    assert reading.value == "2024-02-29 22:34:56"
    assert is_read(reading)


@pytest.mark.fault("pcf8563:bit_flip", "s3c2410_i2c:restart_as_stop_start")
def test_read_time_is_one_transfer_of_two_messages(rtc, still, s3c2410_i2c_chip):
    still.set_time("2031-07-05 09:08:07")
    s3c2410_i2c_chip.clear()
    registers = b"\x08\x00\x07\x08\x09\x05\x06\x07\x31"
    reads = i2c.these_bytes_are_read.bind(messages=[registers])
    answer = rtc.tracing(
        i2c.one_transfer, i2c.every_transfer_completes, reads, contracts.time_comes_from_the_chip
    ).read()
    assert answer.value == "2031-07-05 09:08:07"
    assert i2c.one_transfer(answer) and i2c.every_transfer_completes(answer) and reads(answer)
    assert contracts.time_comes_from_the_chip(answer)
    assert s3c2410_i2c_chip.wire == [("write", 0x51, b"\x00"), ("read", 0x51, registers), ("stop",)]


CARRIES = {
    "2023-12-31 23:59:59": ("2024-01-01 00:00:00", b"\x00\x00\x00\x01\x01\x01\x24"),
    "2024-02-28 23:59:59": ("2024-02-29 00:00:00", b"\x00\x00\x00\x29\x04\x02\x24"),
    "2025-02-28 23:59:59": ("2025-03-01 00:00:00", b"\x00\x00\x00\x01\x06\x03\x25"),
    "2026-09-19 19:09:09": ("2026-09-19 19:09:10", b"\x10\x09\x19\x19\x06\x09\x26"),
    "2069-12-31 23:59:58": ("2069-12-31 23:59:59", b"\x59\x59\x23\x31\x02\x12\x69"),
    # the chip's years end in 2099: the core has it count 1970 to 1999 as 2070 to 2099
    "1999-12-31 23:59:59": ("2000-01-01 00:00:00", b"\x00\x00\x00\x01\x05\x81\x00"),
}


@pytest.mark.fault(
    "pcf8563:no_leap_day",
    "pcf8563:counts_in_binary",
    "pcf8563:weekday_stuck",
    "pcf8563:century_not_toggled",
    "pcf8563:stopped",
    "pcf8563:write_lost",
)
def test_every_rollover_is_read_right_a_second_later(rtc, still):
    read = {}
    for before in CARRIES:
        _ = rtc.set_time(to=before).value
        still.advance(1)
        still.clear()
        read[before] = (rtc.read().value, still.seen("read")[0][1][2:])
    assert read == CARRIES


@pytest.mark.fault("pcf8563:stopped", "pcf8563:runs_slow", "pcf8563:absent")
def test_the_time_advances_by_one_second_per_second(rtc, second_begins, measure):
    watched = rtc.wait_for_ticks(changes=1).value
    first = seconds_of(watched["times"][0])
    assert [seconds_of(text) for text in watched["times"]] == [first, first + 1]
    measure("a second", watched["seconds"], "s", limit=1.5, at_least=0.5)


@pytest.mark.fault("pcf8563:not_blocked", "pcf8563:stopped")
def test_read_time_is_atomic_across_a_seconds_rollover(rtc, still):
    still.set_time("2024-02-29 23:59:59")
    still.second_passes_after(5)  # the register address, two status bytes, seconds, minutes
    assert rtc.read().value == "2024-02-29 23:59:59"
    assert rtc.read().value == "2024-03-01 00:00:00"


@pytest.mark.fault("pcf8563:voltage_low_lost", "pcf8563:voltage_low_stuck", "pcf8563:write_lost")
@pytest.mark.expects(splat="low voltage detected")
def test_low_voltage_makes_read_time_einval_until_the_time_is_set(rtc, still):
    fails = contracts.rtc_read_time_fails.bind(error=-errno.EINVAL)
    assert rtc.voltage_low().value == 0
    still.voltage_low()
    reading = rtc.tracing(fails).read()
    assert reading.errno == errno.EINVAL
    assert fails(reading)
    assert rtc.voltage_low().value == RTC_VL_DATA_INVALID
    assert rtc.set_time(to="2024-05-06 07:08:09").errno == 0
    assert rtc.voltage_low().value == 0
    assert rtc.read().value == "2024-05-06 07:08:09"


@pytest.mark.fault("s3c2410_i2c:ghost_slaves", "s3c2410_i2c:acknowledge_ignored")
@pytest.mark.expects(splat="read error")
def test_an_absent_rtc_is_eio(rtc, pcf8563_chip):
    fails = contracts.rtc_read_time_fails.bind(error=-errno.EIO)
    with pcf8563_chip.faults.switched_on("absent"):
        answer = rtc.tracing(fails).read()
    assert answer.errno == errno.EIO
    assert fails(answer)


@pytest.mark.fault("pcf8563:write_lost", "pcf8563:bit_flip")
def test_an_unrepresentable_time_is_rejected_before_it_reaches_the_chip(rtc, still):
    refused = [
        rtc.set_time(to=text).errno
        for text in (
            "2070-01-01 00:00:00",
            "1969-12-31 23:59:59",
            "2023-02-29 00:00:00",
            "2024-01-01 24:00:00",
        )
    ]
    assert refused == [errno.ERANGE, errno.EINVAL, errno.EINVAL, errno.EINVAL]
    assert still.seen("write") == []
    assert rtc.set_each(times=["1970-01-01 00:00:00", "2069-12-31 00:00:00"]).value == [
        "1970-01-01 00:00:00",
        "2069-12-31 00:00:00",
    ]


@pytest.mark.fault(
    "pcf8563:alarm_never", "pcf8563:alarm_ignores_hour", "pcf8563:int_stuck", "pcf8563:write_lost"
)
def test_an_alarm_fires_at_its_minute_and_no_other(rtc, still, no_alarm):
    _ = rtc.set_time(to="2024-02-29 10:20:58").value
    still.clear()
    assert rtc.set_alarm(to="2024-02-29 11:21:00").errno == 0
    assert written(still) == {0x09: 0x21, 0x0A: 0x11, 0x0B: 0x29, 0x0C: 0x04, 0x01: 0x02}
    assert rtc.alarm().value == {"time": "2024-02-29 11:21:00", "enabled": True}
    still.advance(2)
    assert (still.time, still.irq.level) == ("24-02-29 10:21:00", False)
    still.set_time("2024-02-29 11:20:58")
    still.advance(1)
    assert not still.irq.level
    still.advance(1)
    assert (still.time, still.irq.level) == ("24-02-29 11:21:00", True)


@pytest.mark.fault("pcf8563:alarm_never", "pcf8563:int_stuck")
def test_an_alarm_fires_whatever_tm_wday_is(rtc, still, no_alarm):
    _ = rtc.set_time(
        to="2024-02-29 10:20:59", weekday=0
    ).value  # it is a Thursday; rtc(4): tm_wday is unused
    assert rtc.set_alarm(to="2024-02-29 10:21:00").errno == 0
    still.advance(1)
    assert still.irq.level


@pytest.mark.fault("pcf8563:write_lost")
def test_set_time_is_atomic_across_a_seconds_rollover(rtc, still):
    still.second_passes_after(2)  # the register address and the seconds
    _ = rtc.set_time(to="2024-02-29 10:20:59").value
    assert rtc.read().value in ("2024-02-29 10:20:59", "2024-02-29 10:21:00")


@pytest.mark.fault("pcf8563:voltage_low_lost")
@pytest.mark.expects(splat="err=|low voltage detected|write error")
def test_a_set_time_that_fails_halfway_leaves_read_time_einval(rtc, still, s3c2410_i2c_chip):
    still.set_time("2001-01-01 01:01:01")
    still.voltage_low()
    s3c2410_i2c_chip.faults.set("nack_address", nth=3)
    setting = rtc.set_time(to="2024-02-29 10:20:30")
    s3c2410_i2c_chip.faults.nack_address = False
    assert setting.errno == errno.EIO
    assert rtc.read().errno == errno.EINVAL


@pytest.mark.fault("pcf8563:write_lost")
@pytest.mark.expects(splat="err=|read error")
def test_a_failed_set_time_does_not_block_suspend(rtc, still):
    with still.faults.switched_on("absent"):
        assert rtc.set_time(to="2024-02-29 10:20:30").errno == errno.EIO
        awake = rtc.wakeup_active_for(longer_than_s=0.1).value
    assert rtc.set_each(times=["2024-02-29 10:20:31"]).value == [
        "2024-02-29 10:20:31"
    ]  # which lets it sleep again
    assert not awake


@pytest.mark.fault("pcf8563:write_lost", "pcf8563:absent")
def test_an_rtc_other_than_rtc0_does_not_set_the_system_time(rtc, still):
    if rtc.identity().value["system"]:
        pytest.skip("it is rtc0, which sets the system time")
    still.set_time("2019-01-02 03:04:05")
    before = rtc.system_offset().value
    assert rtc.rebind(driver=rtc.device.driver).value == rtc.device.driver
    _ = rtc.set_time(to="2019-01-02 03:05:05").value
    assert abs(before - 60 - rtc.system_offset().value) < 5


@pytest.mark.fault("s3c2410_i2c:slow_bytes", "pcf8563:stretches_clock")
def test_the_read_time_latency_is_within_its_limit(rtc, measure):
    answer = rtc.read_many(count=3).value
    measure("a reading", answer["seconds"] / 3, "s", limit=rtc.limits["reading_s"])
