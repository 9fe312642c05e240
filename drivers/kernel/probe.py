"""What the running kernel has made of the hardware: devices, their drivers, who waits for whom, and the devicetree.

Ref: Documentation/ABI/testing/sysfs-devices, sysfs-bus-*; drivers/base/dd.c (devices_deferred); modules.alias(5)
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re

from drivers.agent.call import call
from drivers.uapi.modules import loaded
from drivers.uapi.sysfs import UNREADABLE, driver_of, read

TREE = "/sys/firmware/devicetree/base"
DEFERRED = "/sys/kernel/debug/devices_deferred"


def _read(path: str) -> str:
    return read(path, UNREADABLE)


@call
def devices() -> list[dict[str, str]]:
    """Each device of each bus: bus, name, path (its place among the others), driver, modalias, node (its devicetree
    node); what a device does not have is empty."""
    found = []
    for place in sorted(glob.glob("/sys/bus/*/devices/*")):
        bus, name = place.split("/")[3], os.path.basename(place)
        node = os.path.realpath(f"{place}/of_node")
        found.append(
            {
                "bus": bus,
                "name": name,
                "path": os.path.realpath(place)[len("/sys/devices") :],
                "driver": driver_of(place),
                "modalias": _read(f"{place}/modalias"),
                "node": node[len(TREE) :] if node.startswith(TREE) else "",
            }
        )
    return found


@call
def deferred() -> dict[str, str] | None:
    """Devices whose probe waits: name → what for, in the driver's words; None where debugfs tells nothing."""
    try:
        lines = read(DEFERRED).splitlines()
    except OSError:
        return None
    return {name: reason.strip() for name, _, reason in (line.partition("\t") for line in lines)}


@call
def lost_files() -> list[dict[str, str]]:
    """Character devices that no program can open: path (as `devices` has it), file, and why."""
    found = []
    for place in sorted(glob.glob("/sys/dev/char/*")):
        words = dict(line.partition("=")[::2] for line in _read(f"{place}/uevent").splitlines())
        file = "/dev/" + words.get("DEVNAME", "")
        if not words.get("DEVNAME") or os.access(file, os.R_OK) or os.access(file, os.W_OK):
            continue
        there = os.path.exists(file)
        mode = oct(os.stat(file).st_mode & 0o777)[2:] if there else ""
        why = (
            f"user {os.geteuid()} must not open it, its mode is {mode}"
            if there
            else "it is not there"
        )
        found.append(
            {"path": os.path.realpath(place)[len("/sys/devices") :], "file": file, "why": why}
        )
    return found


@call
def nodes() -> list[dict[str, object]]:
    """Each devicetree node that says what it is: path, compatible (best first), and its status, okay when not given."""
    found: list[dict[str, object]] = []
    for folder, _, files in os.walk(TREE):
        if "compatible" in files:
            words = _read(f"{folder}/compatible").split("\0")
            status = _read(f"{folder}/status") or "okay"
            found.append(
                {"path": folder[len(TREE) :] or "/", "compatible": words, "status": status}
            )
    return sorted(found, key=lambda node: str(node["path"]))


@call
def modules_for(aliases: list[str]) -> dict[str, list[dict[str, object]]]:
    """For each modalias the modules that say they know it: name, loaded, and forbidden (who forbids to load it)."""
    known = []
    with open(f"/lib/modules/{os.uname().release}/modules.alias") as opened:
        for line in opened:
            words = line.split()
            if len(words) == 3 and words[0] == "alias":
                fixed = re.split(r"[*?\[]", words[1], maxsplit=1)[
                    0
                ]  # what most aliases differ in already
                known.append((fixed, words[1], words[2]))
    forbidden = _forbidden()
    found: dict[str, list[dict[str, object]]] = {}
    for alias in aliases:
        names = sorted(
            {
                n
                for fixed, p, n in known
                if alias.startswith(fixed) and fnmatch.fnmatchcase(alias, p)
            }
        )
        found[alias] = [
            {"name": n, "loaded": loaded(n), "forbidden": forbidden.get(n, "")} for n in names
        ]
    return found


def _forbidden() -> dict[str, str]:
    """Modules that must not be loaded by their alias → the place that says so."""
    places = {}
    for folder in ("/usr/lib/modprobe.d", "/run/modprobe.d", "/etc/modprobe.d"):
        for path in sorted(glob.glob(f"{folder}/*.conf")):
            for words in map(str.split, _read(path).splitlines()):
                if len(words) == 2 and words[0] == "blacklist":
                    places[words[1].replace("-", "_")] = path
    for word in _read("/proc/cmdline").split():
        key, _, names = word.partition("=")
        if key in ("module_blacklist", "modprobe.blacklist"):
            places.update(
                {
                    name.replace("-", "_"): f"the kernel's command line ({word})"
                    for name in names.split(",")
                }
            )
    return places
