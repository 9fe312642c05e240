"""A PWM controller: period, duty cycle, polarity, enable, and the waveform at the pin."""
import errno

import pytest

from drivers.pwm.checks import contracts

MS, US = 1_000_000, 1000


@pytest.fixture(autouse=True)
def unexported(pwm):
    """Every exported channel is disabled and unexported at the end."""
    yield
    _ = pwm.stop().value


@pytest.mark.fault(
    "samsung_pwm:output_open",
    "samsung_pwm:start_ignored",
    "samsung_pwm:autoreload_ignored",
    "samsung_pwm:count_not_stored",
    "samsung_pwm:compare_not_stored",
    "samsung_pwm:manual_update_ignored",
    "samsung_pwm:half_speed",
    "samsung_pwm:neighbour_written",
    "samsung_pwm:compare_off_by_a_quarter",
)
@pytest.mark.parametrize("channel", range(4))
def test_the_output_has_the_requested_period_and_duty_cycle(pwm, samsung_pwm_chip, channel):
    runs = contracts.requested_state_is_enabled.bind(period=MS, duty_cycle=MS // 4)
    only = contracts.no_other_channel_is_changed.bind(channel=channel)
    started = pwm.tracing(contracts.every_state_is_applied, runs, only).start(channel, MS, MS // 4)
    assert started.value == {"period": MS, "duty_cycle": MS // 4, "polarity": "normal", "enable": 1}
    assert contracts.every_state_is_applied(started) and runs(started) and only(started)
    wave = samsung_pwm_chip.wave(channel)
    assert wave.running
    assert wave.period_ns == pytest.approx(MS, rel=0.05)
    assert wave.duty == pytest.approx(0.25, abs=0.001)


@pytest.mark.fault("samsung_pwm:half_speed")
def test_the_period_is_accurate_to_one_percent(pwm, samsung_pwm_chip, measure):
    _ = pwm.start(0, MS, MS // 2).value
    off = abs(samsung_pwm_chip.wave(0).period_ns - MS) / MS
    measure("period error", off * 100, "%", limit=1.0)


@pytest.mark.fault("samsung_pwm:half_speed")
def test_periods_from_microseconds_to_a_second(pwm, samsung_pwm_chip):
    _ = pwm.start(0, 2 * US, 1 * US).value
    for period in (20 * US, 20 * MS, 1000 * MS, 2 * US):
        written = pwm.write(
            0, [["duty_cycle", 0], ["period", period], ["duty_cycle", period // 2]]
        ).value
        wave = samsung_pwm_chip.wave(0)
        assert written["errno"] == [0, 0, 0]
        assert wave.period_ns == pytest.approx(period, rel=0.08)
        assert wave.duty == pytest.approx(0.5, abs=0.02)


@pytest.mark.fault("samsung_pwm:count_has_16_bits")
def test_a_period_of_more_than_16_bits_of_ticks(pwm, samsung_pwm_chip):
    _ = pwm.start(0, 1000 * MS, 500 * MS).value
    assert samsung_pwm_chip.wave(0).period_ns == pytest.approx(1000 * MS, rel=0.08)


@pytest.mark.fault("samsung_pwm:compare_not_stored", "samsung_pwm:compare_off_by_a_quarter")
def test_the_duty_cycle_is_the_high_part_of_the_period(pwm, samsung_pwm_chip):
    _ = pwm.start(1, MS, MS).value
    duties = {}
    for percent in (1, 10, 50, 90, 99):
        _ = pwm.write(1, [["duty_cycle", MS * percent // 100]]).value
        duties[percent] = samsung_pwm_chip.wave(1).duty
    assert duties == {percent: pytest.approx(percent / 100, abs=0.001) for percent in duties}


@pytest.mark.fault("samsung_pwm:compare_off_by_a_quarter", "samsung_pwm:output_open")
def test_a_duty_cycle_of_100_percent_is_never_low(pwm, samsung_pwm_chip):
    _ = pwm.start(1, MS, MS).value
    wave = samsung_pwm_chip.wave(1)
    assert wave.running and wave.high_ns == wave.period_ns


@pytest.mark.fault("samsung_pwm:compare_not_stored")
def test_a_duty_cycle_of_zero_is_never_high(pwm, samsung_pwm_chip):
    _ = pwm.start(1, MS, 0).value
    assert samsung_pwm_chip.wave(1).high_ns == 0


@pytest.mark.fault("samsung_pwm:inverter_ignored", "samsung_pwm:inverter_stuck")
def test_inversed_polarity_is_low_for_the_duty_cycle(pwm, samsung_pwm_chip):
    # normal first: the driver inverts in hardware what is normal to the kernel
    _ = pwm.start(2, MS, MS // 4).value
    _ = pwm.stop().value
    assert pwm.start(2, MS, MS // 4, "inversed").value["polarity"] == "inversed"
    assert samsung_pwm_chip.wave(2).duty == pytest.approx(0.75, abs=0.001)


@pytest.mark.fault("samsung_pwm:autoreload_stuck")
@pytest.mark.parametrize("duty", [MS // 4, MS])
def test_a_disabled_channel_is_low(pwm, samsung_pwm_chip, duty):
    off = contracts.channel_is_disabled
    _ = pwm.start(0, MS, duty).value
    assert samsung_pwm_chip.wave(0).running
    written = pwm.tracing(off).write(0, [["enable", 0]])
    assert written.value["state"]["enable"] == 0
    assert off(written)
    wave = samsung_pwm_chip.wave(0)
    assert (wave.running, wave.level) == (False, False)


@pytest.mark.fault("samsung_pwm:reload_takes_old_values")
def test_period_and_duty_cycle_can_change_while_enabled(pwm, samsung_pwm_chip):
    _ = pwm.start(0, MS, MS // 2).value
    assert pwm.write(0, [["period", 2 * MS]]).value["errno"] == [0]
    wave = samsung_pwm_chip.wave(0)
    assert wave.period_ns == pytest.approx(2 * MS, rel=0.05)
    assert wave.duty == pytest.approx(0.25, abs=0.001)


@pytest.mark.fault("samsung_pwm:start_ignored")
def test_a_polarity_change_keeps_the_output_enabled(pwm, samsung_pwm_chip):
    _ = pwm.start(0, MS, MS // 4).value
    changed = pwm.write(0, [["polarity", "inversed"]]).value
    assert changed["errno"] == [0] and changed["state"]["enable"] == 1
    wave = samsung_pwm_chip.wave(0)
    assert wave.running
    assert wave.duty == pytest.approx(0.75, abs=0.001)


@pytest.mark.fault("samsung_pwm:start_ignored")
def test_disable_and_enable_restore_the_waveform(pwm, samsung_pwm_chip):
    _ = pwm.start(3, MS, MS // 4).value
    samsung_pwm_chip.clear()
    assert pwm.write(3, [["enable", 0], ["enable", 1]]).value["errno"] == [0, 0]
    assert [event[0] for event in samsung_pwm_chip.wire] == ["rest", "wave"]
    assert samsung_pwm_chip.wave(3).duty == pytest.approx(0.25, abs=0.001)


@pytest.mark.fault("samsung_pwm:output_open")
def test_invalid_settings_are_rejected_and_change_nothing(pwm, samsung_pwm_chip):
    before = pwm.start(0, MS, MS // 2).value
    bad = pwm.write(
        0, [["duty_cycle", 2 * MS], ["period", MS // 4], ["polarity", "sideways"], ["enable", 2]]
    ).value
    assert bad == {"errno": [errno.EINVAL] * 4, "state": before}
    assert samsung_pwm_chip.wave(0).duty == pytest.approx(0.5, abs=0.001)


@pytest.mark.fault("samsung_pwm:prescaler_reads_zero")
def test_a_period_out_of_the_timer_s_range_is_erange(pwm):
    refused = contracts.state_is_rejected.bind(error=-errno.ERANGE)
    _ = pwm.export(0).value
    for period in (
        2_000_000_000,
        30,
    ):  # more than a second, which the driver allows; one tick of 30 ns
        answer = pwm.tracing(refused).write(
            0, [["duty_cycle", 0], ["period", period], ["enable", 1]]
        )
        assert answer.value["errno"] == [0, 0, errno.ERANGE]
        assert answer.value["state"]["enable"] == 0
        assert refused(answer)


@pytest.mark.fault("samsung_pwm:output_open")
def test_exporting_an_exported_or_missing_channel_fails(pwm, samsung_pwm_chip):
    _ = pwm.start(0, MS, MS // 2).value
    assert pwm.export(0).errno == errno.EBUSY
    assert pwm.export(5).errno == errno.ENODEV
    assert pwm.export(4).errno == errno.EINVAL  # timer 4 has no output
    assert pwm.identity().value["exported"] == [0]
    assert samsung_pwm_chip.wave(0).running


@pytest.mark.fault("samsung_pwm:neighbour_written", "samsung_pwm:output_open")
def test_four_channels_run_independently(pwm, samsung_pwm_chip):
    for channel in range(4):
        assert pwm.start(channel, (channel + 1) * MS, MS // 2).errno == 0
    periods = [samsung_pwm_chip.wave(channel).period_ns for channel in range(4)]
    assert periods == [pytest.approx((channel + 1) * MS, rel=0.05) for channel in range(4)]
    assert samsung_pwm_chip.violations == []
