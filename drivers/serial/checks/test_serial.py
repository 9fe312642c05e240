"""A serial port: baud rates, formats, errors, break, flow control, bulk data without loss."""
import pytest

from drivers.serial.checks import contracts

TEXT = bytes(range(256))
RATES = (
    50,
    75,
    110,
    134,
    150,
    200,
    300,
    600,
    1200,
    1800,
    2400,
    4800,
    9600,
    19200,
    38400,
    57600,
    115200,
    230400,
    460800,
    921600,
)


@pytest.mark.fault(
    "uart_16550a:unplugged",
    "uart_16550a:lose_interrupts",
    "uart_16550a:drop_character",
    "uart_16550a:corrupt_character",
    "uart_16550a:duplicate_character",
    "uart_16550a:swap_characters",
)
def test_every_character_comes_back(serial, uart_16550a_chip):
    recorded = serial.tracing(contracts.tx_fifo_is_filled, contracts.received_by_interrupt)
    answer = recorded.echo(TEXT)
    assert answer.value["data"] == TEXT
    assert answer.value["counters"] == {"rx": 256, "tx": 256}
    assert uart_16550a_chip.sent == TEXT
    assert contracts.tx_fifo_is_filled(answer)
    assert contracts.received_by_interrupt(answer)


@pytest.mark.fault("uart_16550a:divisor_not_stored")
@pytest.mark.parametrize("rate", RATES)
def test_each_baud_rate_is_the_rate_on_the_wire(serial, uart_16550a_chip, measure, rate):
    answer = serial.configure(rate)
    assert answer.value == {"format": "8N1", "received": b"\x15", "speed": rate}
    [(_, baud, _)] = uart_16550a_chip.seen("settings")
    measure("rate is off by", abs(baud - rate) / rate * 100, "%", limit=1.5)


@pytest.mark.fault("uart_16550a:divisor_low_byte_only")
def test_baud_300_sets_the_whole_divisor(serial, uart_16550a_chip):
    assert serial.configure(300).value["speed"] == 300
    assert uart_16550a_chip.seen("settings") == [("settings", 300, "8N1")]


@pytest.mark.fault("uart_16550a:divisor_not_stored")
def test_an_unsupported_baud_rate_is_rounded_to_the_nearest(serial, uart_16550a_chip):
    answer = serial.configure(300000)
    [(_, baud, _)] = uart_16550a_chip.seen("settings")
    assert answer.value["received"] == b"\x15"
    assert baud == 307200  # 921600 / 3


@pytest.mark.fault("uart_16550a:unplugged")
@pytest.mark.parametrize("format", ["8N1", "7E1", "7O1", "8E2", "6N2", "5N1"])
def test_each_format_is_the_format_on_the_wire(serial, uart_16550a_chip, format):
    assert serial.configure(115200, format).value == {
        "format": format,
        "received": b"\x15",
        "speed": 115200,
    }
    assert uart_16550a_chip.seen("settings") == [("settings", 115200, format)]


@pytest.mark.fault(
    "uart_16550a:word_length_stuck", "uart_16550a:parity_ignored", "uart_16550a:stop_bits_ignored"
)
def test_word_length_parity_and_stop_bits_reach_the_wire_together(serial, uart_16550a_chip):
    _ = serial.configure(9600, "7E2").value
    assert uart_16550a_chip.seen("settings") == [("settings", 9600, "7E2")]


@pytest.mark.fault("uart_16550a:word_length_stuck")
def test_a_short_word_loses_its_upper_bits(serial):
    assert serial.echo(b"\xff\x95\x00", format="5N1").value["data"] == b"\x1f\x15\x00"


@pytest.mark.fault("uart_16550a:break_not_sent")
def test_a_break_is_sent_and_received(serial, uart_16550a_chip):
    answer = serial.send_break()
    assert uart_16550a_chip.seen("break") == [("break",)]
    assert answer.value == {"data": b"\0", "counters": {"brk": 1, "rx": 1}}


@pytest.mark.fault("uart_16550a:errors_not_reported")
def test_a_break_from_outside_is_counted(serial, uart_16550a_chip):
    with serial.receive(2) as received:
        uart_16550a_chip.receive(brk=True)
        uart_16550a_chip.receive(b"A")
    assert received.value["data"] == b"\0A"
    assert received.value["counters"] == {"rx": 2, "brk": 1}


@pytest.mark.fault("uart_16550a:errors_not_reported")
@pytest.mark.parametrize("error", ["parity", "frame"])
def test_a_parity_or_framing_error_is_counted_and_marked(serial, uart_16550a_chip, error):
    with serial.receive(5, format="8E1", mark_errors=True) as received:
        uart_16550a_chip.receive(b"A")
        uart_16550a_chip.receive(b"B", parity_error=error == "parity", frame_error=error == "frame")
        uart_16550a_chip.receive(b"C")
    assert received.value["data"] == b"A\xff\0BC"
    assert received.value["counters"] == {error: 1, "rx": 3}


@pytest.mark.fault("uart_16550a:parity_errors", "uart_16550a:frame_errors")
def test_a_good_line_has_no_errors(serial):
    assert serial.echo(b"hello", format="8E1").value["counters"] == {"rx": 5, "tx": 5}


@pytest.mark.fault("uart_16550a:errors_not_reported", "uart_16550a:lose_interrupts")
def test_an_rx_fifo_overrun_is_counted(serial, uart_16550a_chip):
    with serial.receive(18, timeout_s=0.3) as received:
        uart_16550a_chip.receive(bytes(range(0x40, 0x60)))  # 32 at once, into a FIFO of 16
    # the tty gets a NUL where the driver noticed the overrun
    assert received.value["data"] == b"@\0" + bytes(range(0x41, 0x50))
    assert received.value["counters"] == {"rx": 16, "overrun": 1}


@pytest.mark.fault("uart_16550a:fifo_has_one")
def test_the_rx_fifo_holds_16_characters(serial, uart_16550a_chip):
    with serial.receive(16, timeout_s=0.5) as received:
        uart_16550a_chip.receive(bytes(range(0x40, 0x50)))
    assert received.value == {"data": bytes(range(0x40, 0x50)), "counters": {"rx": 16}}


@pytest.mark.fault("uart_16550a:loop_ignored")
def test_internal_loopback_sends_nothing_outside(serial, uart_16550a_chip):
    assert serial.internal_loopback(b"inside").value == b"inside"
    assert uart_16550a_chip.sent == b""


@pytest.mark.fault(
    "uart_16550a:modem_status_stuck", "uart_16550a:rts_stuck", "uart_16550a:unplugged"
)
def test_the_modem_lines_follow_each_other_through_the_plug(serial):
    states = [{"rts": rts, "dtr": dtr} for rts in (True, False) for dtr in (True, False)]
    assert serial.modem_lines(states).value == [
        {"cts": state["rts"], "dsr": state["dtr"], "cd": state["dtr"]} for state in states
    ]


@pytest.mark.fault("uart_16550a:modem_interrupt_lost", "uart_16550a:modem_status_stuck")
def test_nothing_is_sent_while_cts_is_inactive(serial, uart_16550a_chip):
    data = b"x" * 100
    uart_16550a_chip.cts = False
    try:
        with serial.send_when_cts(data) as sending:
            sent_before = uart_16550a_chip.sent
            uart_16550a_chip.cts = True
    finally:
        uart_16550a_chip.cts = True
    assert len(sent_before) <= 16  # what was in the transmitter's FIFO already
    assert sending.value["held"] >= 84
    assert sending.value["echo"] == data


@pytest.mark.fault("uart_16550a:unplugged")
def test_an_xoff_stops_the_output_and_an_xon_resumes_it(serial, uart_16550a_chip):
    data = b"y" * 60
    with serial.send_when_xon(data) as sending:
        sent_before = uart_16550a_chip.sent
        uart_16550a_chip.receive(b"\x11")
    assert sent_before == b"\x13."
    assert sending.value["held"] == 60
    assert sending.value["echo"] == data


def assert_all_came(run, count):
    """Every character, and no error.

    RTS, and CTS with it, may change on the way; DSR and DCD have risen with DTR when the port was
    opened, and are counted when the UART's interrupt comes, which may be after the call began to
    count.
    """
    assert (run["received"], run["wrong"]) == (count, -1)
    assert (run["counters"]["rx"], run["counters"]["tx"]) == (count, count)
    assert set(run["counters"]) <= {"rx", "tx", "cts", "dsr", "dcd"}


@pytest.mark.fault(
    "uart_16550a:drop_character",
    "uart_16550a:corrupt_character",
    "uart_16550a:swap_characters",
    "uart_16550a:duplicate_character",
)
def test_bulk_data_is_received_without_loss_or_overrun(serial, measure):
    count = int(serial.limits["bytes"])
    run = serial.timeout(20).bulk(count).value
    assert_all_came(run, count)
    measure(
        "throughput", count / run["seconds"] / 1000, "kB/s", at_least=serial.limits["kilobytes_s"]
    )


@pytest.mark.fault("uart_16550a:drop_character")
@pytest.mark.slow(5)
def test_long_bulk_data_is_received_without_loss_or_overrun(serial, measure):
    count = int(serial.limits["long_bytes"])
    run = serial.timeout(600).bulk(count, seed=2).value
    assert_all_came(run, count)
    measure("throughput", count / run["seconds"] / 1000, "kB/s")
