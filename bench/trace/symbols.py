"""Names of the kernel's functions, from the lines of /proc/kallsyms."""
from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The tracer's event whose payload is addresses: the callers of the event before it.
STACK = "ftrace:kernel_stack"
# Only code; `$a`, `$d` and the like are ARM mapping symbols, not functions.
_LINE = re.compile(r"^([0-9a-f]+) ([tTwW]) ([^$\s]\S*)(?:\s+\[(\S+)\])?\s*$", re.M)


class Symbols:
    """Functions by address: `names(addresses)`, `modules(addresses)`."""

    def __init__(self, kallsyms: str) -> None:
        functions = sorted((int(m[1], 16), number, m[2], m[3], m[4] or "")
                       for number, m in enumerate(_LINE.finditer(kallsyms)))
        self._starts = np.array([function[0] for function in functions], np.uint64)
        self._kinds = [function[2] for function in functions]
        # Number 0 is for addresses below all functions.
        self._names = np.array(["", *(function[3] for function in functions)], object)
        self._modules = np.array(["", *(function[4] for function in functions)], object)

    def __len__(self) -> int:
        return int(self._starts.size)

    def _numbers(self, addresses: NDArray[Any]) -> NDArray[np.intp]:
        return np.searchsorted(self._starts, addresses.astype(np.uint64), side="right")

    def names(self, addresses: NDArray[Any]) -> NDArray[Any]:
        """The function that each address lies in, as `str`; an unknown address in hexadecimal."""
        unique, inverse = np.unique(addresses, return_inverse=True)
        names = self._names[self._numbers(unique)]
        for number in np.flatnonzero(names == "").tolist():
            names[number] = f"{int(unique[number]):#x}"
        return names[inverse.reshape(-1)]

    def name(self, address: int) -> str:
        """The function that one address lies in, or the address."""
        return str(self.names(np.array([address], np.uint64))[0])

    def modules(self, addresses: NDArray[Any]) -> NDArray[Any]:
        """The module of the function that each address lies in, "" for the kernel proper."""
        return self._modules[self._numbers(addresses)]

    def needed(self, addresses: Iterable[NDArray[Any]]) -> str:
        """The lines of /proc/kallsyms that these addresses need: a recording keeps no others."""
        numbers = {number for some in addresses for number in self._numbers(np.unique(some)).tolist()} - {0}
        width = 16 if self._starts.size and int(self._starts[-1]) >> 32 else 8
        return "".join(f"{int(self._starts[n - 1]):0{width}x} {self._kinds[n - 1]} {self._names[n]}"
                       + (f"\t[{self._modules[n]}]\n" if self._modules[n] else "\n") for n in sorted(numbers))


@functools.lru_cache(maxsize=4)
def symbols(kallsyms: str) -> Symbols:
    """Cached Symbols for a text: the symbols of one boot are parsed once."""
    return Symbols(kallsyms)
