"""Make a driver seem to have a bug, to prove that a check finds it.   See fixtures/modules"""
from __future__ import annotations

from drivers.agent.call import call
from drivers.uapi.modules import SEEDED_BUG, load_module, unload_module


@call
def seed_bug(bug: str, driver: str = "") -> None:
    """Load the module that makes `driver` (by default the module's own
    choice) seem to have this bug.
    """
    unload_module(SEEDED_BUG)
    load_module(SEEDED_BUG, f"bug={bug}" + (f" driver={driver}" if driver else ""))


@call
def remove_seeded_bug() -> None:
    """Unload that module."""
    unload_module(SEEDED_BUG)
