"""What a record says of the drivers' functions: entered, never reached, or unknown."""
from __future__ import annotations

from dataclasses import dataclass, field

from bench.store import Record


@dataclass
class ModuleCoverage:
    """One module: the functions that the function tracer can see of it, and the first check that entered each.

    `lost`: entries that were dropped; with any, a function that was not seen is unknown and never "not reached".
    """

    module: str
    drivers: tuple[str, ...]
    functions: set[str] = field(default_factory=set)
    first: dict[str, str] = field(default_factory=dict)  # function → the check's sentence
    lost: int = 0

    @property
    def entered(self) -> list[str]:
        """Those that a check entered, but for a module's own start, which is gone when the functions are counted."""
        return sorted(self.functions & self.first.keys())

    @property
    def unseen(self) -> list[str]:
        """Those that no check was seen to enter."""
        return sorted(self.functions - self.first.keys())

    @property
    def never(self) -> list[str]:
        """Those that no check reached."""
        return [] if self.lost else self.unseen

    @property
    def unknown(self) -> list[str]:
        """Those for which it is unknown."""
        return self.unseen if self.lost else []

    @property
    def share(self) -> float:
        """Of the functions, the part that was entered; 0 for none."""
        return len(self.entered) / len(self.functions) if self.functions else 0.0


def coverage(record: Record) -> list[ModuleCoverage]:
    """Each module of the board's drivers, by name; empty when the run did not ask for coverage."""
    drivers: dict[str, list[str]] = {}
    for driver, module in record.run.covers.items():
        drivers.setdefault(str(module), []).append(driver)
    found = {module: ModuleCoverage(module, tuple(names)) for module, names in sorted(drivers.items()) if module}
    for check in record.checks:
        for one in check.covered:
            module = found.setdefault(one.module, ModuleCoverage(one.module, ()))
            module.functions.update(one.functions)
            module.lost += one.lost
            for name in one.entered:
                module.first.setdefault(name, check.sentence)
    return list(found.values())


def uncovered(record: Record) -> list[str]:
    """What coverage cannot say, and why: this kernel cannot, or a driver is none of a module."""
    run = record.run
    return [*([f"no coverage: {run.covers_missing}"] if run.covers_missing else []),
            *(f"{driver}: built in or not loaded: its functions cannot be told apart from the rest of the kernel"
              for driver, module in sorted(run.covers.items()) if not module)]
