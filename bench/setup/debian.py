"""Folders of Debian packages, extracted but not installed: no code of theirs runs, so the architecture does not matter.

The mirror is the one that this machine's apt uses, or `$BENCH_DEBIAN_MIRROR`.
"""
from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from bench.errors import SetupError
from bench.setup.process import output, run
from bench.setup.progress import Step

SUITE = "trixie"
BACKPORTS = "trixie-backports"


def mirror() -> str:
    """Return the address of a Debian mirror.   Raises SetupError when apt knows none and none is given."""
    given = os.environ.get("BENCH_DEBIAN_MIRROR")
    if given:
        return given
    # Downloaded lists name their mirror; without lists the configured addresses are used.
    listed = output(["apt-get", "indextargets", "--format", "$(LABEL)|$(REPO_URI)"], "asking apt for its mirror")
    found = [row.removeprefix("Debian|") for row in listed.splitlines() if row.startswith("Debian|")]
    if not found:
        configured = output(["apt-get", "update", "--print-uris"], "asking apt for its mirror")
        found = re.findall(r"'([^']*/debian)/dists/", configured)
    if not found:
        raise SetupError("apt knows no Debian mirror on this machine: set BENCH_DEBIAN_MIRROR to one's address "
                         "(what stands before /dists in apt's sources)")
    return found[0].rstrip("/")


def extract(folder: Path, architecture: str, packages: Sequence[str], suites: Sequence[str], step: Step) -> None:
    """Extract `packages` and what they depend on into `folder`.

    Where two suites hold a package, the last one's is taken.
    Raises SetupError with apt's reason and the mirror that it came from.
    """
    source = mirror()
    command = ["mmdebstrap", "--variant=extract", f"--architectures={architecture}", f"--include={','.join(packages)}",
               *(["--mode=chrootless"] if os.geteuid() else []),  # the mode that needs no rights
               *(f"--aptopt={line}" for line in _host_options()),
               f'--aptopt=APT::Default-Release "{suites[-1]}"', SUITE, str(folder),
               *(f"deb {source} {suite} main" for suite in suites)]
    try:
        run(command, f"fetching {', '.join(packages[:3])} … for {architecture} from {source}",
            lambda line: step.update(line.removeprefix("I: ")))
    except SetupError as e:
        raise SetupError(f"{e}; is the mirror reachable, and does it hold {' and '.join(suites)}? "
                         "BENCH_DEBIAN_MIRROR names another one") from e


def _host_options() -> list[str]:
    """Return the options of this machine's apt for proxies and a mirror's dates, for the folder's own apt."""
    return output(["apt-config", "dump", "--no-empty", "--format", '%f "%v";%n', "Acquire::http", "Acquire::https",
                   "Acquire::Retries", "Acquire::Check-Valid-Until", "Acquire::Check-Date"],
                  "asking apt for its proxy").splitlines()
