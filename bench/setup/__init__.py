"""What a bench needs on this machine, made once and kept: packages, QEMU, the kernel, the target's root.

    from bench.setup import prepare
    artefacts = prepare()          # python -m bench.setup does the same and prints them
"""
from __future__ import annotations

from pathlib import Path

from bench.setup.cache import default_folder
from bench.setup.prepare import Artefacts, prepare


def cache_folder() -> Path:
    """Return the folder where artefacts lie, `$XDG_CACHE_HOME/driver-bench`."""
    return default_folder()


__all__ = ["Artefacts", "cache_folder", "prepare"]
