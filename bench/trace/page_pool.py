"""All pages of a recording as one array, and columns that may outgrow memory."""
from __future__ import annotations

import contextlib
import mmap
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Larger data is in a (mapped, deleted) temporary file: the system may drop it from memory at any time.
IN_MEMORY = 64 << 20
COLUMN_IN_MEMORY = 1 << 28
# A mapped file up to this size is read ahead as a whole; of a larger file, only the parts in use.
LARGE = 1 << 30
# Of linux/mman.h; Python's mmap has no name for it.
MADV_POPULATE_READ = 22
Bytes = NDArray[np.uint8]


class PagePool:
    """One array of bytes with the pages of all CPUs; `bases` says where each CPU's begin.

    `large`: a mapped file too large to be in memory as a whole.

    Nothing is copied when they lie in one buffer already, such as a mapped file.
    """

    def __init__(self, blobs: Sequence[Any]) -> None:
        views = [memoryview(blob).cast("B") for blob in blobs]
        self.sizes = [view.nbytes for view in views]
        self.bases = [0, *np.cumsum(self.sizes).tolist()][:len(views)]
        owner: Any = views[0].obj if views else b""
        if not self._shared(views, owner):
            owner = self._together(views)
        self.data: Bytes = np.frombuffer(owner, np.uint8)
        self._mapped = owner if isinstance(owner, mmap.mmap) else None
        self.large = self._mapped is not None and self.data.size > LARGE
        if self._mapped is not None and not self.large:
            self._bring(self._mapped, 0, self.data.size)

    def _shared(self, views: list[memoryview], owner: Any) -> bool:
        """True, with `bases` set, when all views are parts of one owner, at whole words."""
        if any(view.obj is not owner or not view.nbytes for view in views):
            return False
        start = _address(np.frombuffer(owner, np.uint8))
        bases = [_address(np.frombuffer(view, np.uint8)) - start for view in views]
        if any(base % 4 for base in bases):
            return False
        self.bases = bases
        return True

    def _together(self, views: list[memoryview]) -> Any:
        if sum(self.sizes) <= IN_MEMORY:
            return b"".join(views)
        with tempfile.TemporaryFile() as file:
            for view in views:
                file.write(view)
            file.flush()
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def pages(self, number: int) -> Bytes:
        """The pages of one CPU."""
        return self.data[self.bases[number]:self.bases[number] + self.sizes[number]]

    def windows(self, size: int) -> NDArray[Any]:
        """`size` bytes from each 32-bit word on, as a view: index it by words to gather records."""
        return np.ndarray((max((self.data.size - size) // 4 + 1, 0),), dtype=f"V{size}", buffer=self.data, strides=(4,))

    @contextlib.contextmanager
    def near(self, spans: Iterable[tuple[int, int]]) -> Iterator[None]:
        """Work on some spans [bytes]: of a large mapped file they are read ahead, and released afterwards.

        Page by page, as they are touched, costs far more; and all together they would fill the memory.
        """
        if self._mapped is None or not self.large:
            yield
            return
        whole = [(start // mmap.PAGESIZE * mmap.PAGESIZE, min(end, self.data.size)) for start, end in spans]
        for start, end in whole:
            self._bring(self._mapped, start, end)
        try:
            yield
        finally:
            for start, end in whole:
                self._mapped.madvise(mmap.MADV_DONTNEED, start, end - start)

    def _bring(self, mapped: mmap.mmap, start: int, end: int) -> None:
        with contextlib.suppress(OSError):  # before Linux 5.14: pages are then faulted in
            mapped.madvise(MADV_POPULATE_READ, start, end - start)


def _address(array: Bytes) -> int:
    return int(array.__array_interface__["data"][0])


def column(dtype: Any, most: int) -> NDArray[Any]:
    """An array with room for `most` values; memory is used only where something is written."""
    size = max(most * np.dtype(dtype).itemsize, 1)
    if size <= COLUMN_IN_MEMORY:
        return np.empty(most, dtype)
    with tempfile.TemporaryFile() as file:
        file.truncate(size)
        return np.frombuffer(mmap.mmap(file.fileno(), size), dtype, most)


def joined(pieces: Iterable[NDArray[np.uint32]], size: int) -> NDArray[np.uint32]:
    """Pieces with `size` values in all as one column."""
    values, at = column(np.uint32, size), 0
    for piece in pieces:
        values[at:at + piece.size] = piece
        at += piece.size
    return values
