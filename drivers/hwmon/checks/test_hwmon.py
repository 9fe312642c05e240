"""A temperature sensor: temperatures, limits, alert, probe, absence."""
import errno

import pytest

from drivers.checks import i2c_contracts


def thousandths(celsius):
    """As the driver rounds: towards zero."""
    return int(celsius * 1000)


@pytest.fixture(autouse=True)
def converted(hwmon):
    """The first conversion is over: until then the driver returns EAGAIN, and it may just have been
    bound.
    """
    _ = hwmon.wait_for_reading().errno


@pytest.fixture
def sensed(tmp102_chip):
    """The sensor; at room temperature again at the end."""
    yield tmp102_chip
    tmp102_chip.temperature_c = 25.0


@pytest.fixture
def limits_kept(hwmon):
    """The limits are restored at the end."""
    before = {name: hwmon.read(attribute=name).value for name in ("temp1_max", "temp1_max_hyst")}
    yield
    for name, value in before.items():
        _ = hwmon.write(attribute=name, value=value).errno


@pytest.mark.fault(
    "tmp102:absent",
    "tmp102:wrong_resolution_bits",
    "tmp102:pointer_stuck",
    "s3c2410_i2c:nack_address",
)
def test_the_driver_binds_to_the_sensor(hwmon):
    driver = hwmon.device.driver
    assert hwmon.rebind(driver=driver).value == driver
    assert hwmon.identity().value == {"driver": driver, "name": "tmp102"}


@pytest.mark.fault(
    "tmp102:temperature_stuck",
    "tmp102:sign_lost",
    "tmp102:bytes_swapped",
    "tmp102:fraction_lost",
    "tmp102:reads_half_a_degree_high",
    "tmp102:extended_mode_ignored",
    "s3c2410_i2c:corrupt_read",
)
def test_each_temperature_is_read_exactly(hwmon, sensed):
    read = {}
    for celsius in (-55.0, -20.5, -0.0625, 0.0, 0.0625, 25.0, 99.9375, 127.9375, 128.0, 150.0):
        sensed.temperature_c = celsius
        read[celsius] = hwmon.read().value
    assert read == {celsius: thousandths(celsius) for celsius in read}


@pytest.mark.fault("tmp102:bytes_swapped", "s3c2410_i2c:restart_as_stop_start")
def test_a_reading_is_one_transfer_of_two_messages(hwmon, tmp102_chip, s3c2410_i2c_chip):
    s3c2410_i2c_chip.clear()
    reads = i2c_contracts.these_bytes_are_read.bind(messages=[b"\x0c\x81"])
    answer = hwmon.tracing(
        i2c_contracts.one_transfer, i2c_contracts.every_transfer_completes, reads
    ).read()
    assert answer.value == 25000
    assert i2c_contracts.one_transfer(answer) and i2c_contracts.every_transfer_completes(answer)
    assert reads(answer)
    assert s3c2410_i2c_chip.wire == [
        ("write", 0x48, b"\x00"),
        ("read", 0x48, b"\x0c\x81"),
        ("stop",),
    ]


@pytest.mark.fault("tmp102:limits_not_stored", "tmp102:limits_swapped", "s3c2410_i2c:corrupt_write")
def test_a_written_limit_reaches_the_sensor(hwmon, limits_kept, tmp102_chip):
    tmp102_chip.clear()
    assert hwmon.write(attribute="temp1_max", value=60000).value == 60000
    assert hwmon.write(attribute="temp1_max_hyst", value=-10000).value == -10000
    assert tmp102_chip.seen("write") == [("write", b"\x03\x1e\x00"), ("write", b"\x02\xfb\x00")]
    assert (tmp102_chip.limit_c("high"), tmp102_chip.limit_c("low")) == (60.0, -10.0)


@pytest.mark.fault("tmp102:limits_not_stored", "s3c2410_i2c:corrupt_write")
def test_a_limit_reads_back_as_the_sensor_rounds_it(hwmon, limits_kept, tmp102_chip):
    assert (
        hwmon.write(attribute="temp1_max", value=60000).value == tmp102_chip.limit_c("high") * 1000
    )
    shown = hwmon.write(
        attribute="temp1_max", value=60040
    ).value  # between two of the sensor's steps of 62.5
    assert tmp102_chip.limit_c("high") in (60.0, 60.0625)
    assert shown == thousandths(tmp102_chip.limit_c("high"))


@pytest.mark.fault("tmp102:alert_stuck", "tmp102:limits_not_stored")
def test_the_alert_is_active_beyond_the_limit(hwmon, limits_kept, sensed):
    _ = hwmon.write(attribute="temp1_max_hyst", value=40000).value
    _ = hwmon.write(attribute="temp1_max", value=50000).value
    levels = []
    # interrupt mode: active beyond the high limit, then below the low one, each until it is read
    for celsius in (60.0, 30.0, 45.0, 51.0, 45.0, 39.0):
        sensed.temperature_c = celsius
        levels.append(sensed.alert.level)
        assert hwmon.read().value == celsius * 1000
    assert levels[2:] == [False, True, False, True]


@pytest.mark.fault("tmp102:configuration_not_stored", "tmp102:shutdown_ignored")
def test_probe_configures_the_sensor_and_unbind_restores_it(hwmon, tmp102_chip):
    driver = hwmon.device.driver
    assert hwmon.rebind(driver=driver).value == driver
    tmp102_chip.clear()
    assert hwmon.rebind(driver=driver).value == driver
    # unbind restores; probe sets continuous mode, 13 bits, 4 conversions per second
    assert [data for _, data in tmp102_chip.seen("write") if len(data) == 3] == [
        b"\x01\x60\xa0",
        b"\x01\x62\xb0",
    ]
    assert tmp102_chip.extended and not tmp102_chip.asleep


@pytest.mark.fault("tmp102:absent", "s3c2410_i2c:nack_address")
def test_the_first_reading_waits_for_the_first_conversion(hwmon, measure):
    first = hwmon.first_reading(driver=hwmon.device.driver).value
    assert first["value"] > -55000
    measure("first reading after probe", first["seconds"], "s", limit=0.5)


@pytest.mark.fault("s3c2410_i2c:ghost_slaves", "s3c2410_i2c:acknowledge_ignored")
def test_an_absent_sensor_is_enxio(hwmon, tmp102_chip):
    with tmp102_chip.faults.switched_on("absent"):
        answer = hwmon.read()
    assert answer.errno == errno.ENXIO


@pytest.mark.fault("s3c2410_i2c:slow_bytes", "tmp102:stretches_clock")
def test_the_read_latency_is_within_its_limit(hwmon, measure):
    answer = hwmon.read_many(count=5).value
    measure("read", answer["seconds"] / 5, "s", limit=hwmon.limits["reading_s"])
