"""Whether a board is ready for a check; a bad rig is reported as broken, not as the driver's failure."""
from __future__ import annotations

from collections.abc import Iterable

from bench import probe
from bench.errors import BenchError, BoardError, Broken, TargetError
from bench.probe import BOUND, UNBOUND, Part, Probe
from bench.rig import Rig

TRIES = 2  # failed starts in a row after which the rig is not started again


class Preflight:
    """The state of one rig, read once per boot."""

    def __init__(self) -> None:
        self._probed: tuple[int, Probe] = (0, Probe())
        self._failed: list[BenchError] = []
        self._modules: tuple[int, frozenset[str]] = (0, frozenset())

    def start(self, rig: Rig) -> None:
        """Start the rig.  Raises Broken; at once when it has failed TRIES times in a row."""
        if len(self._failed) >= TRIES:
            raise Broken(f"the rig failed to start {TRIES} times in a row; not trying again: {self._failed[-1]}")
        try:
            rig.start()
        except (Broken, BoardError) as e:  # the second: the target is of another kind
            self._failed.append(e)
            raise
        self._failed.clear()

    def probe(self, rig: Rig) -> Probe:
        """The probe of this boot."""
        if self._probed[0] != rig.boots:
            self._probed = rig.boots, probe.attempt(rig)
        return self._probed[1]

    def remember(self, rig: Rig, modules: Iterable[str]) -> None:
        """Remember the modules loaded at the first check of a boot."""
        if self._modules[0] != rig.boots:
            self._modules = rig.boots, frozenset(modules)

    def restore(self, rig: Rig) -> None:
        """Unload the modules that calls loaded since (i2c-dev, usbmon, …), newest first, except those in use."""
        boot, before = self._modules
        if boot == rig.boots:
            for name in rig.exerciser("kernel").snapshot().value["modules"]:
                if name not in before:
                    _ = rig.exerciser("kernel").unload_module(name=name, timeout_s=1.0).errno

    def require(self, rig: Rig, devices: Iterable[str]) -> None:
        """Raise if these devices are not ready for a check, with reason and fix.

        A chip that is a model is known to be there: a driver that did not take it is the driver's own failure, unless
        a model has failed.
        """
        parts = {part.name: part for part in self.probe(rig).all}
        for name in devices:
            part = parts.get(name)
            if part is None or part.state == BOUND:
                continue
            if name in rig.access.chips and part.state == UNBOUND:
                if errors := rig.access.model_errors():
                    raised = errors[0].strip().splitlines()[-1]
                    raise Broken(f"a chip model raised {raised}; {_text(part)}\n{errors[0]}")
                raise TargetError(_text(part))
            raise Broken(_text(part))


def _text(part: Part) -> str:
    return f"{part.name} ({part.driver}) was {part.state} after boot: {part.why}; {part.fix}"
