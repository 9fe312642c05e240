"""Calls on GPIO lines, through gpiod.   Ref: Documentation/userspace-api/gpio/chardev.rst

A controller is named by its driver, as `gpio_virtio`, by its parent device or as gpiochipN; lines
by their names. A call releases the lines that it requested.  Time stamps are ns of CLOCK_MONOTONIC.
"""
from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Generator
from datetime import timedelta
from typing import Any, NamedTuple, TypedDict

from drivers.agent.call import call, listen
from drivers.uapi import gpio, sysfs

CONSUMER = "bench"


class Identity(TypedDict):
    """The controller's name, label, and the names of its lines by offset, "" for a line without a
    name.
    """

    name: str
    label: str
    lines: list[str]


class LineInfo(TypedDict):
    """A line's state, as the kernel has it."""

    name: str
    offset: int
    used: bool
    consumer: str
    direction: str
    bias: str
    edge: str
    active_low: bool
    debounce_us: int


class DrivenInfo(LineInfo):
    """A driven line's state, its value, and the direction that the controller itself reports."""

    value: int
    hardware: str


class Edge(NamedTuple):
    """An edge: rising or falling, its time stamp, and its number on the line."""

    kind: str
    timestamp_ns: int
    number: int


def _gpiod() -> Any:
    # Imported here: the host imports this module for its calls and need not have the library.
    import gpiod  # type: ignore[import-not-found]

    return gpiod


def _settings(
    direction: str = "as_is",
    edge: str = "none",
    bias: str = "as_is",
    active_low: bool = False,
    debounce_us: int = 0,
    value: int = 0,
) -> Any:
    gpiod = _gpiod()
    line = gpiod.line
    return gpiod.LineSettings(
        direction=line.Direction[direction.upper()],
        edge_detection=line.Edge[edge.upper()],
        bias=line.Bias[bias.upper()],
        active_low=active_low,
        debounce_period=timedelta(microseconds=debounce_us),
        output_value=line.Value(value),
    )


def _hardware_direction(line: str) -> str:
    """in or out, from the driver's get_direction(), which the kernel calls for debugfs only."""
    match = re.search(
        rf"\({re.escape(line)}\s*\|[^)]*\) (in|out)", sysfs.read("/sys/kernel/debug/gpio")
    )
    return match.group(1) if match else ""


def _request(chip: str, config: dict[Any, Any], events: int = 0) -> Any:
    return _gpiod().request_lines(gpio.path_of(chip), config, CONSUMER, events or None)


def _info(device: Any, line: str) -> LineInfo:
    info = device.get_line_info(line)
    return {
        "name": info.name,
        "offset": info.offset,
        "used": info.used,
        "consumer": info.consumer or "",
        "direction": info.direction.name.lower(),
        "bias": info.bias.name.lower(),
        "edge": info.edge_detection.name.lower(),
        "active_low": info.active_low,
        "debounce_us": int(info.debounce_period.total_seconds() * 1000000),
    }


@call
def identity(*, chip: str) -> Identity:
    """The controller and its lines."""
    with _gpiod().Chip(gpio.path_of(chip)) as device:
        info = device.get_info()
        names = [device.get_line_info(offset).name or "" for offset in range(info.num_lines)]
        return {"name": info.name, "label": info.label, "lines": names}


@call
def find_line(line: str) -> tuple[str, int]:
    """The node of a line's controller and its offset, by the line's name or `label-offset`.

    ENOENT for none.
    """
    return gpio.find_line(line)


@call
def info(line: str, *, chip: str) -> LineInfo:
    """A line's state, from the kernel."""
    with _gpiod().Chip(gpio.path_of(chip)) as device:
        return _info(device, line)


@call
def get(lines: list[str], bias: str = "as_is", active_low: bool = False, *, chip: str) -> list[int]:
    """The values of lines, requested as inputs."""
    with _request(
        chip, {tuple(lines): _settings("input", bias=bias, active_low=active_low)}
    ) as request:
        return [value.value for value in request.get_values(lines)]


@listen
def hold(
    values: dict[str, int], until: str, timeout_s: float = 2.0, *, chip: str
) -> Generator[None, None, dict[str, DrivenInfo]]:
    """Drive lines until there is an edge on the line `until`.

    The state of each while it was driven.

    ETIMEDOUT when no edge comes.
    """
    config: dict[Any, Any] = {
        line: _settings("output", value=value) for line, value in values.items()
    }
    config[until] = _settings("input", "both")
    with _request(chip, config) as request:
        yield
        if not request.wait_edge_events(timeout_s):
            raise OSError(errno.ETIMEDOUT, f"no edge on {until} within {timeout_s} s")
        with _gpiod().Chip(gpio.path_of(chip)) as device:
            return {
                line: {
                    **_info(device, line),
                    "value": request.get_value(line).value,
                    "hardware": _hardware_direction(line),
                }
                for line in values
            }


@listen
def set_later(
    line: str, value: int, until: str, timeout_s: float = 2.0, *, chip: str
) -> Generator[None, None, None]:
    """Drive a line to the opposite of `value`, and to `value` after an edge on the line `until`."""
    config = {line: _settings("output", value=1 - value), until: _settings("input", "both")}
    with _request(chip, config) as request:
        yield
        if not request.wait_edge_events(timeout_s):
            raise OSError(errno.ETIMEDOUT, f"no edge on {until} within {timeout_s} s")
        request.set_value(line, _gpiod().line.Value(value))


@call
def loop(out: str, into: str, values: list[int], *, chip: str) -> list[int]:
    """Drive `out` to each value and read it at `into`, which a jumper connects."""
    levels = []
    value_of = _gpiod().line.Value
    with _request(
        chip, {out: _settings("output", value=values[0]), into: _settings("input")}
    ) as request:
        for value in values:
            request.set_value(out, value_of(value))
            levels.append(request.get_value(into).value)
    return levels


@call
def set_directions(line: str, directions: list[str], *, chip: str) -> list[str]:
    """Set a requested line to each direction; the kernel's direction after each."""
    results = []
    with _request(chip, {line: _settings(directions[0])}) as request, _gpiod().Chip(
        gpio.path_of(chip)
    ) as device:
        for direction in directions:
            request.reconfigure_lines({line: _settings(direction)})
            results.append(_info(device, line)["direction"])
    return results


@listen
def edges(
    line: str,
    count: int,
    edge: str = "both",
    timeout_s: float = 2.0,
    debounce_us: int = 0,
    bias: str = "as_is",
    active_low: bool = False,
    *,
    chip: str,
) -> Generator[None, None, list[Edge]]:
    """The edges of a line, until `count` have come or the timeout."""
    settings = _settings("input", edge, bias, active_low, debounce_us)
    events: list[Edge] = []
    with _request(chip, {line: settings}, events=1024) as request:
        yield
        deadline = time.monotonic() + timeout_s
        while len(events) < count and request.wait_edge_events(
            max(0.0, deadline - time.monotonic())
        ):
            events += [_edge(event) for event in request.read_edge_events()]
        return events


def _edge(event: Any) -> Edge:
    kind = "rising" if event.event_type is event.Type.RISING_EDGE else "falling"
    return Edge(kind, event.timestamp_ns, event.line_seqno)


@call
def rebind(*, chip: str) -> str:
    """Unbind the controller's driver and bind it again; the controller's name then (gpiochipN)."""
    parent = gpio.parent_of(chip)
    bus = os.path.basename(os.path.realpath(parent + "/subsystem"))
    sysfs.rebind(bus, sysfs.driver_of(parent), os.path.basename(parent))
    return os.path.basename(gpio.path_of(chip))


@call
def request_edges_repeatedly(line: str, times: int, *, chip: str) -> None:
    """Request a line with edge detection and release it at once, `times` times."""
    for _ in range(times):
        with _request(chip, {line: _settings("input", "both")}):
            pass


@call
def request_twice(line: str, *, chip: str) -> None:
    """Request a line that is already requested; the failure is the errno."""
    with _request(chip, {line: _settings("input")}), _request(chip, {line: _settings("input")}):
        return


@call
def loop_edges(out: str, into: str, count: int, timeout_s: float = 5.0, *, chip: str) -> list[Edge]:
    """Toggle `out` `count` times, waiting at `into` for each edge.

    Time stamps are ns since the toggle.
    """
    events: list[Edge] = []
    value_of = _gpiod().line.Value
    config = {out: _settings("output", value=0), into: _settings("input", "both")}
    with _request(chip, config, events=1024) as request:
        deadline = time.monotonic() + timeout_s
        for number in range(count):
            began = time.monotonic_ns()
            request.set_value(out, value_of(1 - number % 2))
            if not request.wait_edge_events(max(0.0, deadline - time.monotonic())):
                break
            for event in map(_edge, request.read_edge_events()):
                events.append(event._replace(timestamp_ns=event.timestamp_ns - began))
    return events
