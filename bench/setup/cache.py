"""Artefacts by the hash of their inputs: complete, or absent.

An artefact is a folder `<kind>-<hash>`.  It is made in a sibling `<kind>.partial`, brought to the disk, then renamed:
a kill or a power cut leaves a `.partial`, which is never read and which the next set-up removes.  The name is the same
each time because compilers' caches know a build by its path; a lock allows one set-up at a time.
"""
from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from bench.errors import SetupError

KEEP_UNUSED_S = 14 * 24 * 3600  # an artefact unused for so long is removed when its kind is built again


def digest(*inputs: object) -> str:
    """Return the hash of `inputs` as 16 hex digits; each is taken by its repr, a bytes value by its content."""
    state = hashlib.sha256()
    for item in inputs:
        data = item if isinstance(item, bytes) else repr(item).encode()
        state.update(b"%d:" % len(data) + data)
    return state.hexdigest()[:16]


def digest_files(files: Iterator[Path] | list[Path], top: Path) -> str:
    """Return the hash of the files' names under `top` and of their contents."""
    return digest(*(part for f in sorted(files) for part in (str(f.relative_to(top)), f.read_bytes())))


class Cache:
    """The folder of artefacts, by default `$XDG_CACHE_HOME/driver-bench`."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()

    def find(self, name: str) -> Path | None:
        """Return the folder of the artefact `<kind>-<hash>` when it is there, and note that it was used."""
        final = self.folder / name
        try:
            os.utime(final)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError:
            pass  # a cache of another user is readable; its use is then not noted
        return final

    def ensure(self, name: str, build: Callable[[Path], None],
               waiting: Callable[[str], None] = lambda text: None) -> Path:
        """Return the folder of the artefact `<kind>-<hash>`, made by `build(folder)` unless it is there already.

        waiting: called once with a text when another set-up holds the cache and this one has to wait for it.
        Raises what `build` raises; nothing is kept then.
        """
        final = self.find(name)
        if final is not None:
            return final
        with self._locked(waiting):
            final = self.find(name)  # the set-up that we waited for may have made it
            if final is not None:
                return final
            self._remove_leftovers()
            return self._make(self.folder / name, build)

    def _make(self, final: Path, build: Callable[[Path], None]) -> Path:
        partial = self.folder / f"{final.name.rsplit('-', 1)[0]}.partial"
        try:
            partial.mkdir()
            build(partial)
            subprocess.run(["sync", "--file-system", str(partial)], check=True)
            partial.rename(final)
            _sync_folder(self.folder)
        except BaseException:
            _remove(partial)
            raise
        self._remove_unused(final)
        return final

    @contextlib.contextmanager
    def _locked(self, waiting: Callable[[str], None]) -> Iterator[None]:
        owner = self.folder / "lock.owner"  # beside the lock: on some systems a locked file cannot be read
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / "lock", mode=0o644)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                waiting(f"another set-up (process {_first_line(owner)}) is at work in {self.folder}; waiting for it")
                lock.acquire()
            owner.write_text(f"{os.getpid()}\n")
        except OSError as e:
            raise SetupError(f"cannot write in the cache folder {self.folder}: {e.strerror}; "
                             f"set XDG_CACHE_HOME to a folder of yours") from e
        try:
            yield
        finally:
            lock.release()  # a process that is killed releases it too

    def _remove_leftovers(self) -> None:
        """Remove leftovers of killed set-ups; the lock is held, so no build is running."""
        for leftover in self.folder.glob("*.partial"):
            _remove(leftover)

    def _remove_unused(self, final: Path) -> None:
        kind = final.name.rsplit("-", 1)[0]
        oldest = time.time() - KEEP_UNUSED_S
        for other in self.folder.glob(f"{kind}-*"):
            if other != final and other.name.rsplit("-", 1)[0] == kind and other.stat().st_mtime < oldest:
                _remove(other)


def default_folder() -> Path:
    """Return `$XDG_CACHE_HOME/driver-bench`, or the same in ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "driver-bench"


def _remove(folder: Path) -> None:
    """Remove a folder, also while the last children of a killed build still write to it."""
    deadline = time.monotonic() + 10
    while True:
        try:
            shutil.rmtree(folder)
            return
        except FileNotFoundError:
            if not folder.exists():
                return
        except OSError as e:
            if time.monotonic() > deadline:
                raise SetupError(f"cannot remove the leftover {folder}: {e.strerror}; remove it by hand") from e


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _first_line(path: Path) -> str:
    try:
        return path.read_text().strip() or "unknown"
    except OSError:
        return "unknown"
