"""Transfers through an open serial port, by a port that is a buffer."""
import threading

import pytest

from drivers.uapi import tty


class Loop:
    """A port that returns what is written to it, the first `lose` characters excepted."""

    def __init__(self, lose=0):
        self._data, self._lose = b"", lose
        self._written = threading.Event()

    @property
    def in_waiting(self):
        return len(self._data)

    def write(self, data):
        self._data += data[self._lose:]
        self._written.set()

    def read(self, size=1):
        assert self._written.wait(5.0)
        part, self._data = self._data[:size], self._data[size:]
        return part

    def cancel_write(self):
        pass

    def reset_output_buffer(self):
        pass


@pytest.fixture(autouse=True)
def counters(monkeypatch):
    monkeypatch.setattr(tty, "counters", lambda port: dict.fromkeys(tty.COUNTERS, 0))


def test_an_echo_is_what_was_sent():
    answer = tty.echo(Loop(), b"hello")
    assert (answer["data"], answer["counters"]) == (b"hello", {})


def test_a_run_without_loss_has_no_wrong_character():
    run = tty.bulk(Loop(), 1000, seed=1)
    assert (run["received"], run["wrong"]) == (1000, -1)


def test_a_run_with_a_loss_says_where_the_first_wrong_character_is():
    run = tty.bulk(Loop(lose=3), 1000, seed=1)
    assert (run["received"], run["wrong"]) == (997, 0)
