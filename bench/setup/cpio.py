"""Write an initramfs: the kernel's "newc" cpio, everything owned by root, no rights needed to make it.

Ref: Documentation/driver-api/early-userspace/buffer-format.rst
"""
from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO


class Archive:
    """A cpio archive being written to `stream`; call `close` at the end."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.names: set[str] = set()

    def file(self, name: str, content: bytes, mode: int = 0o644) -> None:
        """Add a regular file; its folders are added when they are not there yet."""
        self._add(name, stat.S_IFREG | mode, content)

    def link(self, name: str, target: str) -> None:
        """Add a symbolic link."""
        self._add(name, stat.S_IFLNK | 0o777, os.fsencode(target))

    def folder(self, name: str, mode: int = 0o755) -> None:
        """Add a folder."""
        self._add(name, stat.S_IFDIR | mode, b"")

    def device(self, name: str, major: int, minor: int, mode: int = 0o600) -> None:
        """Add a character device."""
        self._add(name, stat.S_IFCHR | mode, b"", (major, minor))

    def tree(self, top: Path, at: str = "") -> None:
        """Add what lies under `top` (files, links, folders), at `at` in the archive; names already there win."""
        for entry in sorted(os.scandir(top), key=lambda e: e.name):
            name = f"{at}/{entry.name}".lstrip("/")
            if entry.is_symlink():
                if name not in self.names:
                    self.link(name, os.readlink(entry.path))
            elif entry.is_dir():
                if name not in self.names:
                    self.folder(name, stat.S_IMODE(entry.stat().st_mode) | 0o700)
                self.tree(Path(entry.path), name)
            elif name not in self.names:
                self.file(name, Path(entry.path).read_bytes(), stat.S_IMODE(entry.stat().st_mode) | 0o400)

    def close(self) -> None:
        """Write the archive's end; the stream stays open."""
        self._entry("TRAILER!!!", 0, b"", (0, 0), 0)

    def _add(self, name: str, mode: int, content: bytes, device: tuple[int, int] = (0, 0)) -> None:
        if name in self.names:
            raise ValueError(f"{name} is in the archive already")
        parent = os.path.dirname(name)
        if parent and parent not in self.names:
            self.folder(parent)
        self.names.add(name)
        self._entry(name, mode, content, device, len(self.names))

    def _entry(self, name: str, mode: int, content: bytes, device: tuple[int, int], inode: int) -> None:
        encoded = os.fsencode(name) + b"\0"
        links = 2 if stat.S_ISDIR(mode) else 1
        # magic, inode, mode, uid, gid, nlink, mtime, size, the medium's major and minor, the device's, name's size, sum
        fields = (inode, mode, 0, 0, links, 0, len(content), 0, 0, *device, len(encoded), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        self.stream.write(head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4))
