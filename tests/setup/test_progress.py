"""Long steps are shown: bars on a terminal, lines at intervals in a log."""
import io

from bench.setup.progress import Bars, Plain, for_stream


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_log_gets_a_steps_start_how_far_it_is_and_its_end():
    log = io.StringIO()
    with Plain(log, interval_s=0).step("kernel build") as step:
        step.update("CC a.o", 1, 4)
        step.update("CC b.o", 2)
    lines = log.getvalue().splitlines()
    assert lines[:3] == ["kernel build …", "kernel build: 25 % CC a.o", "kernel build: 50 % CC b.o"]
    assert lines[3].startswith("kernel build: done in 0.")


def test_a_log_is_not_flooded():
    log = io.StringIO()
    with Plain(log).step("kernel build") as step:
        for n in range(1000):
            step.update("CC", n, 1000)
    assert len(log.getvalue().splitlines()) == 2


def test_a_terminal_gets_a_bar_with_what_is_being_done():
    terminal = Terminal()
    progress = for_stream(terminal)
    assert isinstance(progress, Bars)
    with progress.step("kernel build") as step:
        step.update("CC [M] a.o", 1, 4)
    assert "kernel build" in terminal.getvalue()
    assert "done" in terminal.getvalue()


def test_what_is_not_a_terminal_gets_lines():
    assert isinstance(for_stream(io.StringIO()), Plain)
