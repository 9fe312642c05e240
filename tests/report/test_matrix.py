"""The matrix of devices and actions, and the rows of a sweep, in the terminal."""
import io
from pathlib import Path

from rich.console import Console

from bench import report
from bench.store import CheckRecord, Record, RunInfo
from bench.verdict import Outcome
from drivers.lifecycle.applicable import NAMES


def check(action, device, outcome, reason="", **more):
    name = f"drivers/lifecycle/checks/test_life.py::test_x[{action}:{device}]"
    return CheckRecord(name=name, sentence=f"x [{action}:{device}]", exerciser="lifecycle", outcome=outcome,
                       reason=reason, **more)


def drawn(what, width=100):
    out = io.StringIO()
    Console(file=out, width=width, legacy_windows=False).print(what)
    return out.getvalue()


def record(*checks):
    return Record(Path("r"), RunInfo(board="twin210", kernel="6.12"), tuple(checks))


def test_a_device_is_a_row_and_an_action_a_column():
    text = drawn(report.matrix(record(
        check("unbind", "spidev/spi0.0", Outcome.PASS),
        check("unbind", "s3c-i2c/1.i2c", Outcome.FAIL, "a warning", known_defect="clk"),
        check("reload", "spidev/spi0.0", Outcome.FAIL, "it stayed"),
        check("reload", "s3c-i2c/1.i2c", Outcome.SKIP, "Skipped: its driver is built in"),
        check("reload", "uart/1.uart", Outcome.SKIP, "Skipped: it carries the console"),
        check("unbind", "uart/1.uart", Outcome.SKIP, "Skipped: it carries the console"),
    )))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "driver/device unbind reload" in lines
    assert "spidev/spi0.0 ✓ ✗" in lines
    assert "s3c-i2c/1.i2c ≈ –" in lines
    assert "– reload its driver is built in (s3c-i2c/1.i2c)" in lines
    assert "– uart/1.uart it carries the console" in lines
    assert any(line.startswith("✗ FAIL x [reload:spidev/spi0.0]") for line in lines)


def test_no_line_of_the_matrix_is_longer_than_the_terminal_is_wide():
    checks = [check(action, f"driver{n}/1234567{n}.device", Outcome.PASS) for n in range(3) for action in NAMES]
    assert max(map(len, drawn(report.matrix(record(*checks)), 100).splitlines())) <= 100


def test_rows_that_differ_in_their_number_only_are_one():
    one = {"fault": "dm9000.window:read_fails", "health": "well"}
    rows = [{**one, "n": n, "outcome": "EIO" if n < 4 else "right", "recovered": "1", "seconds": n / 10}
            for n in range(1, 6)]
    text = drawn(report.rows(record(check("a", "b", Outcome.PASS, rows=tuple(rows)))))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "fault dm9000.window:read_fails, health well, recovered 1" in lines
    assert "1–3 EIO 0.30" in lines and "4–5 right 0.50" in lines


def test_a_finding_of_the_same_kind_is_told_once_with_its_number():
    from bench.health import HealthIssue

    found = tuple(HealthIssue("splat", f"WARNING: CPU: {n % 2} PID: {n} at clk.c:1259", "fail") for n in range(9))
    text = drawn(report.table(record(check("unbind", "a/b", Outcome.FAIL, "bad", health=found))))
    assert text.count("clk.c:1259") == 1 and "(9 times)" in text
