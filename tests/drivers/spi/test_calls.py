"""The SPI exerciser's calls, without a device."""
from drivers.agent.call import calls_of
from drivers.spi import calls


def test_patterns_differ_by_seed_and_are_reproducible():
    assert calls.pattern(64, 1) == calls.pattern(64, 1)
    assert calls.pattern(64, 1) != calls.pattern(64, 2)
    assert len(set(calls.pattern(256, 3))) > 100


def test_every_call_has_a_docstring():
    functions = calls_of(calls)
    assert {"transfer", "message", "lengths", "concurrent_transfers", "compare_with_spidev_test"} <= set(functions)
    assert all(function.__doc__ for function in functions.values())
