"""How the running kernel sees the hardware: devices, drivers, deferred probes, and the devicetree.

Ref: Documentation/ABI/testing/sysfs-devices, sysfs-bus-*; drivers/base/dd.c (devices_deferred);
modules.alias(5)
"""
from __future__ import annotations

import fnmatch
import glob
import os
import re
from typing import TypedDict

from drivers.agent.call import call
from drivers.uapi.modules import loaded
from drivers.uapi.sysfs import UNREADABLE, driver_of, read

TREE = "/sys/firmware/devicetree/base"
DEFERRED = "/sys/kernel/debug/devices_deferred"


class BusDevice(TypedDict):
    """A device of a bus; "" for what it does not have."""

    bus: str
    name: str
    path: str  # below /sys/devices
    driver: str
    modalias: str
    node: str  # its devicetree node


class LostFile(TypedDict):
    """A character device that no program can open."""

    path: str  # of the device, below /sys/devices
    file: str  # in /dev
    why: str


class Node(TypedDict):
    """A devicetree node with a compatible."""

    path: str
    compatible: list[str]  # the most specific first
    status: str  # "okay" when not given


class KnownModule(TypedDict):
    """A module that has a modalias."""

    name: str
    loaded: bool
    forbidden: str  # what forbids to load it, "" for nothing


def _read(path: str) -> str:
    return read(path, UNREADABLE)


@call
def devices() -> list[BusDevice]:
    """Each device of each bus."""
    listed: list[BusDevice] = []
    for link in sorted(glob.glob("/sys/bus/*/devices/*")):
        node = os.path.realpath(f"{link}/of_node")
        listed.append({
            "bus": link.split("/")[3],
            "name": os.path.basename(link),
            "path": os.path.realpath(link)[len("/sys/devices") :],
            "driver": driver_of(link),
            "modalias": _read(f"{link}/modalias"),
            "node": node[len(TREE) :] if node.startswith(TREE) else "",
        })  # fmt: skip
    return listed


@call
def deferred() -> dict[str, str] | None:
    """Devices with a deferred probe and the driver's reason; None without debugfs."""
    try:
        lines = read(DEFERRED).splitlines()
    except OSError:
        return None
    return {name: reason.strip() for name, _, reason in (line.partition("\t") for line in lines)}


@call
def lost_files() -> list[LostFile]:
    """Character devices that no program can open."""
    lost: list[LostFile] = []
    for link in sorted(glob.glob("/sys/dev/char/*")):
        uevent = dict(line.partition("=")[::2] for line in _read(f"{link}/uevent").splitlines())
        file = f"/dev/{uevent.get('DEVNAME', '')}"
        if "DEVNAME" not in uevent or os.access(file, os.R_OK) or os.access(file, os.W_OK):
            continue
        why = "it is not there"
        if os.path.exists(file):
            mode = oct(os.stat(file).st_mode & 0o777)[2:]
            why = f"user {os.geteuid()} must not open it, its mode is {mode}"
        path = os.path.realpath(link)[len("/sys/devices") :]
        lost.append({"path": path, "file": file, "why": why})
    return lost


@call
def nodes() -> list[Node]:
    """Each devicetree node with a compatible, by path."""
    listed: list[Node] = []
    for folder, _, files in os.walk(TREE):
        if "compatible" in files:
            compatible = _read(f"{folder}/compatible").split("\0")
            status = _read(f"{folder}/status") or "okay"
            path = folder[len(TREE) :] or "/"
            listed.append({"path": path, "compatible": compatible, "status": status})
    return sorted(listed, key=lambda node: node["path"])


@call
def modules_for(aliases: list[str]) -> dict[str, list[KnownModule]]:
    """For each modalias the modules whose aliases match it."""
    known = _aliases()
    forbidden = _forbidden()
    modules: dict[str, list[KnownModule]] = {}
    for alias in aliases:
        names = {
            name
            for prefix, pattern, name in known
            if alias.startswith(prefix) and fnmatch.fnmatchcase(alias, pattern)
        }
        modules[alias] = [
            {"name": name, "loaded": loaded(name), "forbidden": forbidden.get(name, "")}
            for name in sorted(names)
        ]
    return modules


def _aliases() -> list[tuple[str, str, str]]:
    """Each line of modules.alias: what precedes the first wildcard, the pattern, the module."""
    aliases = []
    with open(f"/lib/modules/{os.uname().release}/modules.alias") as lines:
        for words in map(str.split, lines):
            if len(words) == 3 and words[0] == "alias":
                # Most aliases differ in the prefix already: startswith is cheaper than fnmatch.
                prefix = re.split(r"[*?\[]", words[1], maxsplit=1)[0]
                aliases.append((prefix, words[1], words[2]))
    return aliases


def _forbidden() -> dict[str, str]:
    """Blacklisted modules, with the file or the parameter that does it."""
    places = {}
    for folder in ("/usr/lib/modprobe.d", "/run/modprobe.d", "/etc/modprobe.d"):
        for path in sorted(glob.glob(f"{folder}/*.conf")):
            for words in map(str.split, _read(path).splitlines()):
                if len(words) == 2 and words[0] == "blacklist":
                    places[words[1].replace("-", "_")] = path
    for word in _read("/proc/cmdline").split():
        key, _, names = word.partition("=")
        if key in ("module_blacklist", "modprobe.blacklist"):
            for name in names.split(","):
                places[name.replace("-", "_")] = f"the kernel's command line ({word})"
    return places
