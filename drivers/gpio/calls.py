"""Calls on GPIO lines, through gpiod.   Ref: Documentation/userspace-api/gpio/chardev.rst

A controller is named by its driver, as `gpio_virtio`, by its parent device or as gpiochipN; lines by their names.
What a call drives, it lets go of at its end. Time stamps are ns of CLOCK_MONOTONIC.
"""
from __future__ import annotations

import errno
import os
import re
import time
from datetime import timedelta
from typing import Any, Dict, Generator, List, Tuple

from drivers.agent.call import call, listen
from drivers.uapi import gpio as sysfs

CONSUMER = "bench"


def _gpiod() -> Any:
    # Here and not on top: the host reads this module for its calls and need not have the library.
    import gpiod  # type: ignore[import-not-found]

    return gpiod


def find_line(name: str) -> Tuple[str, int]:
    """The device node and the number of the line `name`: its own name, or its controller's label and number (gph0-3).

    Raises FileNotFoundError where no controller has it.
    """
    label, _, number = name.rpartition("-")
    labels = []
    for chip in sysfs.chips():
        path = "/dev/%s" % chip["name"]
        with _gpiod().Chip(path) as device:
            about = device.get_info()
            labels.append(about.label)
            if about.label == label and number.isdigit() and int(number) < about.num_lines:
                return path, int(number)
            for offset in range(about.num_lines):
                if device.get_line_info(offset).name == name:
                    return path, offset
    raise FileNotFoundError(errno.ENOENT, "no GPIO controller has a line %r; there are the controllers %s"
                            % (name, ", ".join(labels) or "none"))


def _settings(direction: str = "as_is", edge: str = "none", bias: str = "as_is", active_low: bool = False,
              debounce_us: int = 0, value: int = 0) -> Any:
    gpiod = _gpiod()
    line = gpiod.line
    return gpiod.LineSettings(
        direction=line.Direction[direction.upper()], edge_detection=line.Edge[edge.upper()],
        bias=line.Bias[bias.upper()], active_low=active_low, debounce_period=timedelta(microseconds=debounce_us),
        output_value=line.Value(value),
    )


def _hardware_direction(line: str) -> str:
    """in or out, as the controller itself says: the kernel asks it for debugfs only."""
    with open("/sys/kernel/debug/gpio") as opened:
        match = re.search(r"\(%s\s*\|[^)]*\) (in|out)" % re.escape(line), opened.read())
    return match.group(1) if match else ""


def _request(chip: str, config: Dict[Any, Any], events: int = 0) -> Any:
    return _gpiod().request_lines(sysfs.path_of(chip), config, CONSUMER, events or None)


def _info(device: Any, line: str) -> Dict[str, Any]:
    info = device.get_line_info(line)
    return {"name": info.name, "offset": info.offset, "used": info.used, "consumer": info.consumer or "",
            "direction": info.direction.name.lower(), "bias": info.bias.name.lower(),
            "edge": info.edge_detection.name.lower(), "active_low": info.active_low,
            "debounce_us": int(info.debounce_period.total_seconds() * 1000000)}


@call
def identity(*, chip: str) -> Dict[str, Any]:
    """The controller's name, label and the names of its lines, in their order ("" for one without a name)."""
    with _gpiod().Chip(sysfs.path_of(chip)) as device:
        info = device.get_info()
        names = [device.get_line_info(offset).name or "" for offset in range(info.num_lines)]
        return {"name": info.name, "label": info.label, "lines": names}


@call
def where(line: str) -> List[Any]:
    """The node of a line's controller and its number there, by its own name or as `label-number`; ENOENT for none."""
    return list(find_line(line))


@call
def info(line: str, *, chip: str) -> Dict[str, Any]:
    """What the kernel says of a line: name, offset, used, consumer, direction, bias, edge, active_low, debounce_us."""
    with _gpiod().Chip(sysfs.path_of(chip)) as device:
        return _info(device, line)


@call
def get(lines: List[str], bias: str = "as_is", active_low: bool = False, *, chip: str) -> List[int]:
    """The values of lines, requested as inputs."""
    with _request(chip, {tuple(lines): _settings("input", bias=bias, active_low=active_low)}) as request:
        return [value.value for value in request.get_values(lines)]


@listen
def hold(values: Dict[str, int], until: str, timeout_s: float = 2.0, *,
         chip: str) -> Generator[None, None, Dict[str, Any]]:
    """Drive lines until there is an edge on the line `until`; what the kernel says of each while it was driven.

    "hardware" is the direction that the controller itself says. ETIMEDOUT when no edge comes.
    """
    config: Dict[Any, Any] = {line: _settings("output", value=value) for line, value in values.items()}
    config[until] = _settings("input", "both")
    with _request(chip, config) as request:
        yield
        if not request.wait_edge_events(timeout_s):
            raise OSError(errno.ETIMEDOUT, "no edge on %s within %s s" % (until, timeout_s))
        with _gpiod().Chip(sysfs.path_of(chip)) as device:
            return {line: dict(_info(device, line), value=request.get_value(line).value,
                               hardware=_hardware_direction(line)) for line in values}


@listen
def set_later(line: str, value: int, until: str, timeout_s: float = 2.0, *,
              chip: str) -> Generator[None, None, None]:
    """Drive a line the other way round, and to `value` once there is an edge on the line `until`; OSError says no."""
    config = {line: _settings("output", value=1 - value), until: _settings("input", "both")}
    with _request(chip, config) as request:
        yield
        if not request.wait_edge_events(timeout_s):
            raise OSError(errno.ETIMEDOUT, "no edge on %s within %s s" % (until, timeout_s))
        request.set_value(line, _gpiod().line.Value(value))


@call
def loop(out: str, into: str, values: List[int], *, chip: str) -> List[int]:
    """Drive `out` to each value and read it at `into`, to which a wire leads."""
    got = []
    value_of = _gpiod().line.Value
    with _request(chip, {out: _settings("output", value=values[0]), into: _settings("input")}) as request:
        for value in values:
            request.set_value(out, value_of(value))
            got.append(request.get_value(into).value)
    return got


@call
def turn(line: str, directions: List[str], *, chip: str) -> List[str]:
    """Change a requested line's direction again and again; what the kernel says after each change."""
    said = []
    with _request(chip, {line: _settings(directions[0])}) as request, _gpiod().Chip(sysfs.path_of(chip)) as device:
        for direction in directions:
            request.reconfigure_lines({line: _settings(direction)})
            said.append(_info(device, line)["direction"])
    return said


@listen
def hear(line: str, count: int, edge: str = "both", timeout_s: float = 2.0, debounce_us: int = 0, bias: str = "as_is",
         active_low: bool = False, *, chip: str) -> Generator[None, None, List[List[Any]]]:
    """Edges of a line: wait for `count` of them or the timeout; [edge, time stamp, number on the line] of each."""
    settings = _settings("input", edge, bias, active_low, debounce_us)
    events: List[List[Any]] = []
    with _request(chip, {line: settings}, events=1024) as request:
        yield
        deadline = time.monotonic() + timeout_s
        while len(events) < count and request.wait_edge_events(max(0.0, deadline - time.monotonic())):
            for event in request.read_edge_events():
                kind = "rising" if event.event_type is event.Type.RISING_EDGE else "falling"
                events.append([kind, event.timestamp_ns, event.line_seqno])
        return events


@call
def rebind(*, chip: str) -> str:
    """Take the controller's driver away and bind it again; its name then (gpiochipN)."""
    parent = sysfs.parent_of(chip)
    driver = os.path.realpath(parent + "/driver")
    for action in ("unbind", "bind"):
        opened = os.open("%s/%s" % (driver, action), os.O_WRONLY)
        try:
            os.write(opened, os.path.basename(parent).encode())
        finally:
            os.close(opened)
    return os.path.basename(sysfs.path_of(chip))


@call
def listen_again_and_again(line: str, times: int, *, chip: str) -> None:
    """Ask for a line's edges and let go of it at once, `times` times."""
    for _ in range(times):
        with _request(chip, {line: _settings("input", "both")}):
            pass


@call
def take_twice(line: str, *, chip: str) -> None:
    """Request a line that is requested already; the refusal is the errno."""
    with _request(chip, {line: _settings("input")}), _request(chip, {line: _settings("input")}):
        return


@call
def edges_of_loop(out: str, into: str, count: int, timeout_s: float = 5.0, *, chip: str) -> List[List[Any]]:
    """Drive `out` up and down `count` times, waiting at `into` for each edge; [edge, ns from the drive, number]."""
    heard: List[List[Any]] = []
    value_of = _gpiod().line.Value
    config = {out: _settings("output", value=0), into: _settings("input", "both")}
    with _request(chip, config, events=1024) as request:
        deadline = time.monotonic() + timeout_s
        for number in range(count):
            began = time.monotonic_ns()
            request.set_value(out, value_of(1 - number % 2))
            if not request.wait_edge_events(max(0.0, deadline - time.monotonic())):
                break
            for event in request.read_edge_events():
                kind = "rising" if event.event_type is event.Type.RISING_EDGE else "falling"
                heard.append([kind, event.timestamp_ns - began, event.line_seqno])
    return heard
