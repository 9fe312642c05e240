"""Finger detection: its interrupt, its latency, the zones."""
from __future__ import annotations

import time

import pytest


@pytest.mark.fault(
    "fpc1020:finger_never",
    "fpc1020:interrupt_lost",
    "fpc1020:interrupt_late",
    "fpc1020:zones_wrong",
)
def test_a_finger_raises_the_interrupt_within_the_latency_limit(fingerprint, finger, measure):
    with fingerprint.wait_for_finger(timeout_s=1.0) as waiting:
        laid_ns = time.monotonic_ns()
        finger(7)
    event = waiting.value
    assert event["interrupt"] == 0x81
    assert bin(event["zones"]).count("1") >= 7
    delay = event["edge_ns"] - waiting.clock_offset_ns - laid_ns
    measure(
        "from finger to the kernel's time stamp",
        max(0, delay) / 1e6,
        "ms",
        limit=fingerprint.limits.get("finger_ms", 20.0),
    )


@pytest.mark.fault("fpc1020:finger_always")
def test_without_a_finger_there_is_no_interrupt(fingerprint, finger):
    with fingerprint.wait_for_finger(timeout_s=0.2) as waiting:
        pass
    assert waiting.error
    assert waiting.error["type"] == "TimeoutError"
    assert fingerprint.zones().value == 0


@pytest.mark.fault("fpc1020:finger_never", "fpc1020:finger_always", "fpc1020:zones_wrong")
def test_zones_show_whether_a_finger_is_on_the_sensor(fingerprint, finger):
    finger(3)
    assert fingerprint.zones().value == 0x0FF0
    finger(None)
    assert fingerprint.zones().value == 0x0000
