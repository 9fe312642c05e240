"""A logic analyser's capture in a record: aligned by the trace's events, shown on lanes with its own error."""
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from bench.capture import sigrok
from bench.errors import UsageError
from bench.report import timeline
from bench.results import attach_capture
from bench.store import read

MS = 1_000_000
QUEUED = (12.1, 14.3, 16.2)  # ms after the check's start, as the sample's trace has them


@pytest.fixture
def session(tmp_path):
    """A capture of 1 MHz that began 5 ms after the check: TX rises some µs after each frame was queued."""
    samples = np.zeros(20_000, np.uint8)
    for number, ms in enumerate(QUEUED):
        at = round((ms - 5) * 1000) + 30 + number  # µs; one more each time
        samples[at:at + 100] |= 1
    samples[15_000:] |= 2
    path = tmp_path / "capture.sr"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("version", "2")
        archive.writestr("metadata", "[device 1]\ncapturefile=logic-1\ntotal probes=2\nsamplerate=1 MHz\nprobe1=TX\n"
                                     "probe2=IRQ\nunitsize=1\n")
        archive.writestr("logic-1-1", samples.tobytes())
    return path


def test_its_edges_are_the_checks_wire_with_their_error(recorded, failing, session):
    record = recorded(failing)
    capture = sigrok.load(session)
    new, aligned, left_out = attach_capture.added(record, record.checks[0], capture, "TX+=net:net_dev_queue")
    assert (aligned.matched, aligned.error_ns, left_out) == (3, 1_000, 0)
    rises = [event for event in new.checks[0].wire if (event.source, event.what) == ("TX (sigrok)", "rises")]
    # The delay that all three have in common, 31 µs, is in the offset; what is left is how much they differ.
    assert [event.ts_ns - failing.started_ns for event in rises] == [12_099_000, 14_300_000, 16_201_000]
    line = timeline.build(new.checks[0], record.folder)
    clocks = dict(zip((name for name, _ in line.lanes), map(str, line.clocks), strict=True))
    assert (clocks["wire: TX (sigrok)"], clocks["wire: IRQ (sigrok)"]) == ("±1 µs", "±1 µs")
    assert clocks["wire: cable"] == "±41 µs"


def test_the_command_adds_it_to_the_record_and_the_report_once(recorded, failing, others, session):
    record = recorded(failing, others[0])
    words = [sys.executable, "-m", "bench", "wire", str(record.folder), "frame sent completed", str(session),
             "--align", "TX+=net:net_dev_queue", "--channel", "TX"]
    for _ in range(2):
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout.splitlines()[0]) == (0, "aligned by 3 edges, ± 1 µs"), done.stderr
    again = read(record.folder)
    assert len([event for event in again.checks[0].wire if event.source == "TX (sigrok)"]) == 6
    assert again.checks[1:] == record.checks[1:] and again.complete
    assert "wire: TX (sigrok)" in (record.folder / "report.html").read_text()


@pytest.mark.parametrize(("by", "said"), [("TX=net:net_dev_queue", "expected CHANNEL"), ("+=a:b", "expected CHANNEL")])
def test_an_alignment_that_is_written_wrongly_says_how_it_is_written(by, said):
    with pytest.raises(UsageError, match=said):
        attach_capture.parse(by)


def test_words_that_name_no_check_or_several_are_refused(recorded, failing, others):
    record = recorded(failing, *others)
    for words in ("no such words", "the"):
        with pytest.raises(UsageError, match="must name one check"):
            attach_capture.find(record, words)
