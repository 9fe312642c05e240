"""Read sigrok's session files (.sr), the logic analyser's witness on a rig, and align one to the trace's clock.

Ref: https://sigrok.org/wiki/File_format:Sigrok/v2 (a zip of `version`, `metadata` and the samples in `logic-1-1`, …)
"""
from __future__ import annotations

import configparser
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import RecordError, UsageError

MOST_BYTES = 1 << 30  # of samples: a small zip can hold any number of them
UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
AMBIGUOUS = 2.0  # a second position that fits nearly as well makes the alignment ambiguous


@dataclass(frozen=True)
class Capture:
    """Samples of some channels: bit n of each sample is `channels[n]`."""

    rate_hz: int
    channels: tuple[str, ...]
    samples: NDArray[Any]

    def edges(self, channel: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """When the channel changed [ns from the first sample], and whether it rose."""
        if channel not in self.channels:
            raise UsageError.unknown("channel", channel, self.channels)
        level = (self.samples >> self.channels.index(channel)) & 1
        at = np.flatnonzero(np.diff(level.astype(np.int8)))
        return (at + 1) * 1_000_000_000 // self.rate_hz, level[at + 1].astype(np.bool_)


@dataclass(frozen=True)
class Alignment:
    """Adding `offset_ns` to a time of the capture gives one of the events' clock, right within ± `error_ns`."""

    offset_ns: int
    error_ns: int
    matched: int


def load(path: Path) -> Capture:
    """Read a session file; raises RecordError that names it and what is wrong."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _capture(archive)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, configparser.Error, NotImplementedError) as error:
        raise RecordError(f"{path}: not a readable sigrok session: {error}") from error


def _capture(archive: zipfile.ZipFile) -> Capture:
    metadata = configparser.ConfigParser()
    metadata.read_string(archive.read("metadata").decode())
    device = metadata["device 1"]
    unit, name = device.getint("unitsize", 0), device["capturefile"]
    if unit not in (1, 2, 4, 8):
        raise ValueError(f"unitsize {unit} is none of 1, 2, 4, 8")
    parts = [member for member in archive.infolist() if re.fullmatch(re.escape(name) + r"(-\d+)?", member.filename)]
    parts.sort(key=lambda member: int(member.filename.rpartition("-")[2]))
    if sum(part.file_size for part in parts) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES} bytes of samples")
    data = b"".join(archive.read(part) for part in parts)
    if not data or len(data) % unit:
        raise ValueError(f"{len(data)} bytes are no samples of {unit}")
    channels = tuple(device.get(f"probe{number}", "") for number in range(1, device.getint("total probes", 0) + 1))
    return Capture(_rate(device["samplerate"]), channels, np.frombuffer(data, f"<u{unit}"))


def _rate(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMG]?)Hz", text.strip())
    rate = round(float(match[1]) * UNITS[match[2]]) if match else 0
    if not rate:
        raise ValueError(f"samplerate {text!r} is no frequency")
    return rate


def align(edges: NDArray[np.int64], events: NDArray[np.int64]) -> Alignment:
    """Find the edges that the events caused: the run of as many edges whose intervals fit the events' best.

    Both in ns, in order. A delay that is the same for all events stays in the offset: the error is what varies. Raises
    UsageError for fewer than two events, fewer edges than events, or an ambiguous fit.
    """
    count = events.size
    if count < 2 or edges.size < count:
        raise UsageError(f"{count} events and {edges.size} edges: an alignment needs two events, and an edge for each")
    late = np.lib.stride_tricks.sliding_window_view(edges, count) - events
    spread = late.max(axis=1) - late.min(axis=1)
    order = np.argsort(spread, kind="stable")
    best = int(order[0])
    if order.size > 1 and spread[order[1]] <= AMBIGUOUS * max(int(spread[best]), 1):
        raise UsageError(f"the {count} events fit the edges at two places as well: choose events that come less evenly")
    middle = (int(late[best].max()) + int(late[best].min())) // 2
    return Alignment(-middle, (int(spread[best]) + 1) // 2, count)
