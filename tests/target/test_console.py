"""The console is always drained, each line stamped, and expect() reads the same bytes."""
import socket
import time

from bench.target.console import ConsoleLog


def started():
    ours, theirs = socket.socketpair()
    return ConsoleLog(ours), theirs


def test_nobody_needs_to_read_for_the_other_side_to_go_on():
    log, target = started()
    target.settimeout(5)
    line = b"x" * 99 + b"\n"
    for _ in range(30_000):  # three megabytes, far more than a socket holds
        target.sendall(line)
    target.close()
    while not log.closed:
        log.read(1 << 20, 1.0)
    assert log.lines[-1].text == "x" * 99


def test_lines_are_stamped_with_the_monotonic_clock_in_order():
    log, target = started()
    before = time.monotonic_ns()
    target.sendall(b"first\r\nsec")
    assert log.read(100, 5.0) == b"first\r\nsec"
    target.sendall(b"ond\r\n")
    assert log.read(100, 5.0) == b"ond\r\n"
    assert [line.text for line in log.since(before)] == ["first", "second"]
    assert before <= log.lines[0].ns <= log.lines[1].ns <= time.monotonic_ns()


def test_bytes_that_are_no_text_are_kept_readable():
    log, target = started()
    target.sendall(b"\xff\xfe boot\n")
    assert log.read(100, 5.0)
    assert log.lines[0].text == "\\xff\\xfe boot"


def test_reading_ends_at_its_deadline_and_at_the_consoles_end():
    log, target = started()
    began = time.monotonic()
    assert log.read(1, 0.1) == b""
    assert time.monotonic() - began >= 0.1
    target.sendall(b"no newline")
    target.close()
    assert log.read(100, 5.0) == b"no newline"
    assert log.read(1, 5.0) == b""
    assert log.closed
    assert log.lines[-1].text == "no newline"
