"""Pages of a recording as they arrive: in memory while they are few, on disk when they are many."""
from __future__ import annotations

import itertools
import mmap
import shutil
import tempfile
from pathlib import Path
from typing import IO, Any

# As for a pool of pages: more lies in (deleted) temporary files, which the system may drop from memory at any time.
IN_MEMORY = 16 << 20


class Spool:
    """One file a CPU; `add` as pages come, `pages` when all have come.

    Args:
        folder: where the files are made; None: the system's folder for temporary files
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = str(folder) if folder else None
        self._files: dict[int, IO[bytes]] = {}
        self.size = 0

    def add(self, cpu: int, data: bytes) -> None:
        """Append whole sub-buffers of a CPU."""
        if cpu not in self._files:
            self._files[cpu] = tempfile.SpooledTemporaryFile(IN_MEMORY, dir=self._folder)  # noqa: SIM115
        self._files[cpu].write(data)
        self.size += len(data)

    def pages(self, rest: list[bytes], subbuf_size: int) -> list[Any]:
        """A buffer for each CPU of `rest`, which holds the last pages; a last one that was cut short is filled up."""
        for cpu, data in enumerate(rest):
            if data:
                self.add(cpu, data + bytes(-len(data) % subbuf_size))
        if self.size <= IN_MEMORY:
            return [self._whole(cpu) for cpu in range(len(rest))]
        together = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  # lives as long as the mapping
        bounds = [0]
        for cpu in range(len(rest)):
            if cpu in self._files:
                self._files[cpu].seek(0)
                shutil.copyfileobj(self._files[cpu], together, 1 << 20)
                self._files.pop(cpu).close()
            bounds.append(together.tell())
        together.flush()
        mapped = memoryview(mmap.mmap(together.fileno(), 0, access=mmap.ACCESS_READ))
        together.close()
        return [mapped[start:end] for start, end in itertools.pairwise(bounds)]

    def _whole(self, cpu: int) -> bytes:
        if cpu not in self._files:
            return b""
        self._files[cpu].seek(0)
        return self._files[cpu].read()
