"""sigrok's captures: read as sigrok-cli writes them, laid on the trace by the edges that events made."""
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.capture.sigrok import align, load
from bench.errors import RecordError, UsageError

DEMO = Path(__file__).parent / "data" / "sigrok-demo.sr"  # sigrok-cli -d demo:logic_channels=4 --samples 2000


def session(path, samples, rate="1 MHz", unit=1, parts=1, channels=("CS", "CLK"), capturefile="logic-1"):
    probes = "".join(f"probe{number}={name}\n" for number, name in enumerate(channels, 1))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("version", "2")
        archive.writestr("metadata", f"[global]\nsigrok version=0.5.2\n\n[device 1]\ncapturefile={capturefile}\n"
                                     f"total probes={len(channels)}\nsamplerate={rate}\n{probes}unitsize={unit}\n")
        for number, part in enumerate(np.array_split(np.asarray(samples, f"<u{unit}"), parts), 1):
            archive.writestr(f"logic-1-{number}", part.tobytes())
    return path


def test_a_session_of_sigrok_cli_is_read():
    capture = load(DEMO)
    assert (capture.rate_hz, capture.channels, capture.samples.size) == (100_000, ("D0", "D1", "D2", "D3"), 2000)
    assert capture.samples[:8].tolist() == [9, 6, 6, 6, 0xD, 0xF, 0xF, 0xF]
    at, rises = capture.edges("D0")
    assert (at[:3].tolist(), rises[:3].tolist()) == ([10_000, 40_000, 80_000], [False, True, False])


def test_samples_in_many_parts_and_of_more_than_eight_channels(tmp_path):
    names = tuple(f"D{number}" for number in range(16))
    samples = [0, 1 << 15, 1 << 15, 0, *range(100)]
    capture = load(session(tmp_path / "a.sr", samples, "12.5 MHz", 2, parts=11, channels=names))
    assert capture.samples.tolist() == samples
    assert (capture.edges("D15")[0].tolist(), capture.rate_hz) == ([80, 240], 12_500_000)


def test_a_channel_that_is_not_there_names_those_that_are():
    with pytest.raises(UsageError, match="no channel named 'D9'; did you mean 'D"):
        load(DEMO).edges("D9")


@pytest.mark.parametrize(("change", "said"), [
    ({"unit": 3}, "unitsize|<u3|data type"), ({"rate": "fast"}, "samplerate 'fast' is no frequency"),
    ({"rate": "0 Hz"}, "is no frequency"), ({"capturefile": "other"}, "0 bytes are no samples"),
])
def test_a_session_that_lies_is_one_clear_error(tmp_path, change, said):
    if "unit" in change:
        path = session(tmp_path / "a.sr", [0, 1])
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "b.sr", "w") as new:
            for name in old.namelist():
                new.writestr(name, old.read(name).replace(b"unitsize=1", b"unitsize=3"))
        path = tmp_path / "b.sr"
    else:
        path = session(tmp_path / "a.sr", [0, 1], **change)
    with pytest.raises(RecordError, match=said) as raised:
        load(path)
    assert str(raised.value).startswith(str(path))


def test_a_file_that_is_no_zip_is_one_clear_error(tmp_path):
    (tmp_path / "a.sr").write_bytes(b"no zip")
    with pytest.raises(RecordError, match=r"a\.sr: not a readable sigrok session"):
        load(tmp_path / "a.sr")


def test_an_alignment_is_the_place_where_the_distances_fit():
    events = np.array([1_000, 1_700, 4_000]) + 10**12
    edges = np.array([3, 900, 1_610, 3_890, 9_000])
    found = align(edges, events)
    assert (found.offset_ns, found.error_ns, found.matched) == (10**12 + 100, 10, 3)


def test_what_fits_at_two_places_is_refused():
    with pytest.raises(UsageError, match="fit the edges at two places as well"):
        align(np.arange(10) * 1000, np.arange(4) * 1000)
    with pytest.raises(UsageError, match="1 events and 3 edges"):
        align(np.arange(3), np.arange(1))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(10_000, 10**7), min_size=3, max_size=30, unique=True), st.integers(-10**15, 10**15),
       st.integers(0, 200), st.randoms(use_true_random=False))
def test_every_edge_lies_within_the_error_of_its_event(distances, offset, jitter, chance):
    events = np.cumsum(np.array(distances, np.int64))
    edges = np.sort(events - offset + np.array([chance.randint(-jitter, jitter) for _ in distances]))
    try:
        found = align(edges, events)
    except UsageError:
        return
    assert np.all(np.abs(edges + found.offset_ns - events) <= found.error_ns)
    assert found.error_ns <= jitter + 1
