"""The table in the terminal: fits its width, says why, and passes nothing of a target's text that could act."""
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bench import report, results
from bench.store import CallRecord, Cut, HealthIssue, Measurement
from bench.trace.text import field_text, line, number_text, plain, seconds_text, value_text, visible
from bench.verdict import Outcome, Verdict


def drawn(what, width, colour=False):
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=colour, color_system="standard" if colour else None,
            legacy_windows=False).print(what)
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_longer_than_the_terminal_is_wide(sample, width):
    assert max(map(len, drawn(report.table(sample), width).splitlines())) <= width


def test_a_wide_terminal_shows_each_check_on_one_line(sample):
    text = drawn(report.table(sample), 140)
    [row] = [row for row in text.splitlines() if "every length from 60 to 1514" in row]
    assert " ".join(row.split()) == (
        "✓ pass every length from 60 to 1514 goes both ways byte for byte rate 212 of 50 frames/s 48.3 s")


def test_the_reason_of_a_failure_stands_below_the_table_and_the_verdict_last(sample):
    text = drawn(report.table(sample), 200)
    assert ("✗ FAIL every frame that is sent is completed\n"
            "  3 frames were handed to the chip and 2 completions came back;") in text
    assert "  fail: every frame is completed: each frame given to the chip is followed by one completion within" in text
    assert "  injected fault: dm9000:swallow_tx_completion" in text
    assert text.splitlines()[-1].startswith("Failed  1 of 21 checks failed. The rig or the bench broke in 1 check.")


def test_text_of_the_target_cannot_act_on_the_terminal(recorded, failing, hostile):
    import dataclasses
    check = dataclasses.replace(
        failing, sentence=hostile, name=hostile, reason=hostile, device=hostile, faults=(hostile,), known_defect=None,
        measured=(Measurement(hostile, 1, hostile),), health=(HealthIssue("splat", hostile, "fail"),),
        calls=(CallRecord("net.a", verdicts=(Verdict(Outcome.FAIL, hostile, hostile),)),))
    text = drawn(report.table(recorded(check)), 140)
    assert [char for char in text if unicodedata.category(char)[0] == "C" and char != "\n"] == []
    assert "owned" not in text.replace("document.title='owned'", "")  # the OSC's payload went with it
    assert "[bold]" not in text


def test_markup_in_the_targets_text_is_only_text(recorded, others):
    import dataclasses
    check = dataclasses.replace(others[0], sentence="[bold red]x[/] [link=file:///etc/passwd]y", outcome=Outcome.FAIL)
    assert "[bold red]x[/] [link=file:///etc/passwd]y" in drawn(report.table(recorded(check)), 120)


def test_changes_are_said_with_what_they_were(sample):
    [check] = [check for check in sample.checks if check.pcap]
    before, after = Verdict(Outcome.PASS, "claim"), Verdict(Outcome.FAIL, "claim", "2 of 3")
    again = results.Judgement(sample, (results.Change(check, "net.send_frames", before, after),), 4, ("a note",))
    assert drawn(report.changes(again), 120) == (
        "note: a note\npass → fail  claim\n    every frame that is sent is completed, net.send_frames: 2 of 3\n"
        "4 verdicts judged again, 1 changed\n")


@pytest.mark.parametrize(("text", "clean", "shown"), [
    ("a\x1b[31mb\x1b[0m", "ab", "ab"),
    ("\x1b]0;title\x07x", "x", "x"),
    ("\x1b]8;;http://e/\x1b\\link\x1b]8;;\x1b\\", "link", "link"),
    ("\x1bP1$r\x1b\\x\x1bc", "x", "x"),
    ("\x9b2Jx", "x", "x"),
    ("a\x00b\x07", "ab", "a␀b␇"),
    ("a\u202eb", "ab", "a‹U+202E›b"),
    ("\ud800", "", "‹U+D800›"),
    ("one\ttwo\n", "one\ttwo\n", "one\ttwo\n"),
    ("line\r", "line", "line"),
    ("Grüße, ✓", "Grüße, ✓", "Grüße, ✓"),
])
def test_control_characters_are_stripped_or_shown(text, clean, shown):
    assert (plain(text), visible(text)) == (clean, shown)


@given(st.text())
def test_whatever_the_text_nothing_in_it_can_act(text):
    for cleaned in (plain(text), visible(text), line(text)):
        assert not any(unicodedata.category(char)[0] == "C" and char not in "\n\t" for char in cleaned)
    assert plain(plain(text)) == plain(text)
    visible(text).encode()


@pytest.mark.parametrize(("value", "text"), [
    (b"\x00\x01\xff", "‹00 01 ff› 3 B"),
    (Cut(b"\x01\x02", 5000, "00"), "‹01 02› 5000 B"),
    ([b"\x00" * 60] * 3, "[3 × ‹00 00 00 00 00 00 00 00 …› 60 B]"),
    ({"sent": 3, "odd": None}, "{sent: 3, odd: None}"),
    (list(range(20)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, … 20 in all]"),
    ([[[[[1]]]]], "[[[[…]]]]"),
    ("x" * 500, "'" + "x" * 238 + "…"),
])
def test_values_are_short(value, text):
    assert value_text(value) == text


@pytest.mark.parametrize(("name", "value", "text"), [
    ("skbaddr", 0xC1A44200, "0xc1a44200"), ("len", 100_000, "100000"), ("name", "eth0", "'eth0'"), ("skb", 0, "0")])
def test_addresses_are_in_hex_and_lengths_are_not(name, value, text):
    assert field_text(value, name) == text


@pytest.mark.parametrize(("seconds", "text"), [
    (0, "0 s"), (3e-9, "3 ns"), (4.2e-7, "420 ns"), (0.000412, "412 µs"), (0.0125, "12.5 ms"), (1.25, "1.25 s"),
    (61, "61 s"), (200, "3 min 20 s")])
def test_durations_have_the_unit_that_fits(seconds, text):
    assert seconds_text(seconds) == text


def test_numbers_are_short():
    assert [number_text(n) for n in (3.0, 0.97, 5200.2, 1e20, float("inf"))] == ["3", "0.97", "5200", "1e+20", "inf"]
