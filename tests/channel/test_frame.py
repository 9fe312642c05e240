"""Frames carry JSON values and bytes, whatever they are, over a stream that cuts them anywhere."""
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.agent import frame

plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.binary()
values = st.recursive(
    plain,
    lambda inner: st.lists(inner) | st.dictionaries(st.text().filter(lambda k: k != "$bytes"), inner),
    max_leaves=12,
)


def reader(data, cut):
    """A stream that gives at most `cut` bytes at a time."""
    rest = [data]

    def some(n):
        part, rest[0] = rest[0][: min(n, cut)], rest[0][min(n, cut) :]
        return part

    return frame.exact(some)


@given(st.dictionaries(st.sampled_from(["value", "call", "id"]), values), st.integers(1, 50))
def test_whatever_is_packed_comes_back_however_the_stream_is_cut(header, cut):
    assert frame.unpack(reader(b"".join(frame.pack(header)), cut)) == header


def test_bytes_travel_as_attachments_and_not_in_the_json():
    pieces = frame.pack({"value": [b"\x00\xff", b"abc"]})
    assert pieces[1:] == [b"\x00\xff", b"abc"]
    assert pieces[0][12:] == b'{"value":[{"$bytes":0},{"$bytes":1}],"attachments":[2,3]}'


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_garbage_is_an_error_and_never_a_hang(data):
    with pytest.raises((frame.FrameError, EOFError)):
        frame.unpack(reader(data, 64))


@given(st.binary(max_size=120))
def test_a_garbage_header_is_an_error(body):
    with pytest.raises((frame.FrameError, EOFError)):
        frame.unpack(reader(struct.pack("<4sII", b"BNCH", len(body), 0) + body, 64))


def test_an_oversized_frame_is_refused_before_it_is_read():
    with pytest.raises(frame.FrameError, match="larger than the limit"):
        frame.unpack(reader(struct.pack("<4sII", b"BNCH", 0xFFFFFFFF, 0), 64))


def test_what_a_frame_cannot_carry_is_named():
    with pytest.raises(TypeError, match="cannot carry a set"):
        frame.pack({"value": {1, 2}})
    with pytest.raises(TypeError, match="text keys only"):
        frame.pack({"value": {1: 2}})
