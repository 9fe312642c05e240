"""The kernel exerciser's calls on this machine's own kernel: only those that change nothing."""
from __future__ import annotations

import errno
import os

import pytest

from drivers.agent.call import kind
from drivers.dm9000 import calls as dm9000
from drivers.kernel import calls, devices
from drivers.net import calls as net
from drivers.uapi import modules


def test_a_snapshot_tells_what_must_not_change():
    first, second = calls.snapshot(), calls.snapshot()
    assert first["taint"] == second["taint"] and first["fds"] == second["fds"]
    assert set(first) == {"log_clock", "taint", "counts", "modules", "fds", "interrupts", "kmsg", "uptime_s"}
    assert second["uptime_s"] >= first["uptime_s"] > 0


def test_an_open_file_shows_in_the_snapshot():
    before = calls.snapshot()["fds"]
    with open(os.devnull):
        assert calls.snapshot()["fds"] == before + 1


def test_interrupts_have_counts_and_the_names_of_their_handlers():
    found = calls.interrupts()
    assert found and all(isinstance(line["count"], int) for line in found.values())
    assert all(" " not in name for line in found.values() for name in line["names"])


def test_the_kernel_log_is_read_on_from_where_it_was():
    whole = calls.kmsg(0)
    if not whole["records"]:
        pytest.skip("this machine's kernel log is empty")
    assert calls.kmsg(whole["last"])["records"] == []
    middle = whole["records"][len(whole["records"]) // 2]["seq"]
    tail = calls.kmsg(middle)
    assert tail["dropped"] == 0 and [r["seq"] for r in tail["records"]] == list(range(middle + 1, whole["last"] + 1))


def test_a_module_that_does_not_exist_is_enoent():
    with pytest.raises(OSError) as raised:
        modules.load_module("no_such_module")
    assert raised.value.errno == errno.ENOENT
    assert modules.unload_module("no_such_module") is False


def test_a_driver_that_does_not_exist_is_enoent():
    with pytest.raises(OSError) as raised:
        devices.unbind("no_such_driver", "no.device")
    assert raised.value.errno == errno.ENOENT


def test_every_name_that_calls_offer_is_marked():
    for module in (calls, dm9000, net):
        own = [name for name in module.__all__ if not kind(getattr(module, name))]
        assert own == [], f"{module.__name__} names what no host may call"


def test_the_drivers_probe_line_is_understood():
    line = "eth0: dm9000b at 41277eee,6bf587be IRQ 33 MAC: 02:00:d9:00:00:01 (platform data)"
    assert dm9000.PROBE.search(line).groupdict() == {
        "interface": "eth0", "revision": "b", "irq": "33", "mac": "02:00:d9:00:00:01", "source": "platform data"}
