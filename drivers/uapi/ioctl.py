"""The numbers of ioctls.   Ref: include/uapi/asm-generic/ioctl.h"""
from __future__ import annotations


def ioc(direction: int, kind: int | str, number: int, size: int) -> int:
    """The number of an ioctl: direction 1 writes to, 2 reads from the kernel, 3 both;
    `kind` is the driver's letter.
    """
    return (
        direction << 30 | size << 16 | (kind if isinstance(kind, int) else ord(kind)) << 8 | number
    )
