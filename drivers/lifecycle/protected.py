"""What must be left alone, and why: the branch that the bench sits on."""
from __future__ import annotations

import os
import re
from typing import Dict, Iterator, List, Tuple

from drivers.uapi.devices import Device, below, folder_of
from drivers.uapi.sysfs import UNREADABLE, read

REGION = re.compile(r"^( *)([0-9a-f]+-[0-9a-f]+) : (.*)$")


def reasons(devices: List[Device]) -> Dict[str, str]:
    """Path of each device that must stay as it is → why: what we need, what that hangs on, and who supplies those."""
    kept: Dict[str, str] = {}
    for path, why in _roots():
        for device in devices:
            if below(device.path, path):
                kept.setdefault(device.path, why)
    windows = regions()
    for device in devices:
        for other in _users_of_window(device, devices, windows):
            kept.setdefault(device.path, "its registers are those of %s" % other.name)
    for device in devices:
        for other in devices:
            if device.path not in kept and other.path in kept and below(device.path, other.path):
                kept[device.path] = "%s is below it: %s" % (other.name, kept[other.path])
    for _ in range(4):  # suppliers of suppliers
        for device in devices:
            if device.path in kept:
                for link in suppliers(device.path):
                    for other in devices:
                        if below(other.path, link):
                            kept.setdefault(other.path, "%s needs it: %s" % (device.name, kept[device.path]))
    return kept


def suppliers(path: str) -> List[str]:
    """The folders of the devices that a device needs, as its device links say."""
    links = [name for name in os.listdir(path) if name.startswith("supplier:")] if os.path.isdir(path) else []
    return [os.path.realpath("%s/%s/supplier" % (path, name)) for name in sorted(links)]


def _roots() -> Iterator[Tuple[str, str]]:
    """Folders of what we speak through and live on, each with its reason."""
    for name in read("/sys/class/tty/console/active", UNREADABLE).split():
        yield os.path.realpath("/sys/class/tty/%s" % name), "it carries the console"
    for fd in os.listdir("/proc/self/fd"):
        path = folder_of("/proc/self/fd/" + fd)
        if path:
            yield path, "the agent speaks through it"
    with open("/proc/self/mounts") as mounts:
        for line in mounts:
            source = line.split()[0]
            if source.startswith("/dev/"):
                path = folder_of(source)
                if path:
                    yield path, "a file system lies on it"
    if os.environ.get("SSH_CONNECTION"):
        for name in os.listdir("/sys/class/net"):
            if read("/sys/class/net/%s/operstate" % name, UNREADABLE) == "up":
                yield os.path.realpath("/sys/class/net/%s" % name), "it may carry the connection to the agent"


def regions() -> List[Tuple[int, str, str]]:
    """/proc/iomem: (depth, range, name) of each line."""
    with open("/proc/iomem") as opened:
        matches = [REGION.match(line.rstrip("\n")) for line in opened]
    return [(len(m.group(1)) // 2, m.group(2), m.group(3)) for m in matches if m]


def _users_of_window(device: Device, devices: List[Device], windows: List[Tuple[int, str, str]]) -> List[Device]:
    """Devices that live in a register window of this one without being below it, as a bus bridge's do."""
    found: List[Device] = []
    inside = -1
    for depth, _, name in windows:
        if inside >= 0 and depth <= inside:
            inside = -1
        if inside >= 0:
            found += [d for d in devices if d.name in name.split() and not below(device.path, d.path)]
        elif device.name in name.split():
            inside = depth
    return [other for other in found if other.path != device.path]
