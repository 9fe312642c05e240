"""A serial line with an echo at its far end: a megabyte out and back without loss."""
import pytest

FAULTS = [
    f"loopback_plug:{name}"
    for name in (
        "unplugged",
        "cut",
        "drop_character",
        "corrupt_character",
        "duplicate_character",
        "swap_characters",
        "noise",
        "seven_bits",
        "inverted",
        "burst_lost",
    )
]
TEXT = bytes(range(256)) * 24


@pytest.mark.fault(*FAULTS)
def test_every_character_comes_back_in_its_place(serial_line):
    assert serial_line.timeout(15).echo(TEXT, rtscts=True).value["data"] == TEXT


@pytest.mark.fault("loopback_plug:slow")
def test_the_echo_latency_is_within_its_limit(serial_line, measure):
    took = min(serial_line.echo(b"?").value["seconds"] for _ in range(3))
    measure("echo", took * 1000, "ms", limit=serial_line.limits["answer_ms"])


@pytest.mark.fault("loopback_plug:drop_character", "loopback_plug:burst_lost")
@pytest.mark.slow(25)
def test_a_megabyte_is_echoed_without_loss(serial_line, loopback_plug_chip, measure):
    count, slowest = 1 << 20, serial_line.limits["kilobytes_s"]
    run = serial_line.timeout(10 + count / 1000 / slowest).bulk(count, timeout_s=10).value
    assert (run["received"], run["wrong"]) == (count, -1)
    assert (run["counters"]["rx"], run["counters"]["tx"]) == (count, count)
    assert loopback_plug_chip.count == count
    measure("throughput", count / run["seconds"] / 1000, "kB/s", at_least=slowest)
