"""Known defects of kernel drivers, `drivers/<name>/checks/known_defects.yaml`: reported, they do not fail the board.

A file maps the kernel driver's name to a list of entries, beside the checks that show them:

    dm9000:
      - check: test_the_multicast_counter_counts_received_multicast_frames
        reason: dm9000_rx counts no multicast frames
        seen_in: "6.12"                  # the oldest kernel on which it was seen
        fixed_in: ["6.15", "6.12.40"]    # mainline, and stable series that have the fix; left out while there is none
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench import paths
from bench.board import section
from bench.board.section import Section

FILE = "known_defects.yaml"
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
_A_VERSION = 'a kernel version in quotes, as "6.12" or "6.12.40"'


class Version(NamedTuple):
    """A kernel's version; `patch` is None for a series: "6.12"."""

    major: int
    minor: int
    patch: int | None = None

    def __str__(self) -> str:
        return ".".join(str(part) for part in self if part is not None)

    def reached_by(self, kernel: Version) -> bool:
        """Whether `kernel` is this version or a later one; a stable version says nothing about other series."""
        if self.patch is None:
            return kernel[:2] >= self[:2]
        return kernel[:2] == self[:2] and (kernel.patch or 0) >= self.patch


def version(release: str) -> Version | None:
    """The version at the start of `uname -r`, as of 6.12.57+deb13-armmp; None when it has none."""
    match = _VERSION.match(release)
    return Version(int(match[1]), int(match[2]), None if match[3] is None else int(match[3])) if match else None


@dataclass(frozen=True)
class KnownDefect:
    """A defect that a check shows: of a kernel driver, or with `driver` "" of the board itself.

    Args:
        check: the check's name, or the end of its node id.  Cases are named by a regular expression for how they
            begin: `test_name[case]`, or `[case]` for those of every check.
        seen_in: the oldest kernel on which it was seen, or several; it applies from the oldest on
        fixed_in: the mainline version with the fix, and the stable versions that got it
    """

    check: str
    reason: str
    driver: str = ""
    seen_in: tuple[Version, ...] = ()
    fixed_in: tuple[Version, ...] = ()

    def shown_by(self, check: str) -> bool:
        """Whether `check`, a node id, is the one that shows the defect."""
        whole, _, case = check.partition("[")
        name, _, of_case = self.check.partition("[")
        return whole.endswith(name) and re.match(of_case.removesuffix("]"), case) is not None

    def is_in(self, kernel: Version | None) -> bool:
        """Whether `kernel` has the defect; of a kernel without a version that can be read, while there is no fix."""
        if kernel is None:
            return not self.fixed_in
        seen = not self.seen_in or kernel[:2] >= min(v[:2] for v in self.seen_in)
        return seen and not any(fix.reached_by(kernel) for fix in self.fixed_in)


def applying(known: Iterable[KnownDefect], check: str, drivers_under_test: Iterable[str],
             release: str) -> KnownDefect | None:
    """The known defect that `check` (a node id) shows on this kernel, or None.

    drivers_under_test: the kernel drivers of the devices that the check is about.  A life-cycle case names its own:
        `[unbind:DRIVER/DEVICE]`.
    release: `uname -r` of the target, "" when it never said.
    """
    named = re.findall(r"[\[:]([^\[:/]+)/", check.partition("::")[2])
    under_test = {"", *drivers_under_test, *named}
    kernel = version(release)
    return next((d for d in known if d.driver in under_test and d.shown_by(check) and d.is_in(kernel)), None)


def of_drivers() -> tuple[KnownDefect, ...]:
    """All that stand beside the exercisers' checks.  Raises BoardError file:line: key for a mistake."""
    return tuple(defect for root in paths.roots() for path in sorted(root.glob(f"drivers/*/checks/{FILE}"))
                 for defect in read_file(path))


def read_file(path: Path) -> Iterator[KnownDefect]:
    """The entries of one file.  Raises BoardError file:line: key for a mistake."""
    top = section.read(path)
    for driver in map(str, top.data):
        for at in top.items(driver, "{check, reason, seen_in, fixed_in}"):
            yield read(at, driver)


def read(at: Section, driver: str = "") -> KnownDefect:
    """One entry; that of a driver says in which kernels it is."""
    defect = KnownDefect(at.text("check", "a check's name"), at.text("reason", "why it fails"), driver,
                         _versions(at, "seen_in") if driver else (), _versions(at, "fixed_in") if driver else ())
    if driver and not defect.seen_in:
        raise at.error("seen_in", f"missing; expected {_A_VERSION}")
    try:
        re.compile(defect.check.partition("[")[2].removesuffix("]"))
    except re.error as e:
        raise at.error("check", f"expected a regular expression between [ and ]: {e}") from e
    at.done("check, reason, seen_in, fixed_in" if driver else "check, reason")
    return defect


def _versions(at: Section, key: str) -> tuple[Version, ...]:
    """One version or a list of them; a number without quotes is refused, for YAML reads 6.10 as 6.1."""
    value = at.data.get(key)
    given = at.take(key, object, _A_VERSION)
    texts = [given] if not isinstance(given, list) else given
    parsed = [version(text) if isinstance(text, str) and _VERSION.fullmatch(text) else None for text in texts]
    if value is None and key not in at.data:
        return ()
    if None in parsed or not parsed:
        raise at.error(key, f"expected {_A_VERSION}, or a list of them, found {value!r}")
    return tuple(v for v in parsed if v is not None)
