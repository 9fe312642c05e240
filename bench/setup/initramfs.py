"""The target's initramfs: its root, the kernel's modules and our own, /init, packed as one initramfs."""
from __future__ import annotations

import shutil
import stat
from pathlib import Path

from bench.setup.cache import Cache, digest, digest_files
from bench.setup.cpio import Archive
from bench.setup.kernel import Kernel
from bench.setup.process import run
from bench.setup.programs import PROGRAMS
from bench.setup.progress import Progress

IMAGE = "initramfs.cpio"
TARGET = Path(__file__).parent / "target"

# name in the root → file of target/, mode
SCRIPTS = {"init": ("init", 0o755), "usr/bin/bench-agent": ("bench-agent", 0o755),
           "usr/lib/bench/ports": ("ports", 0o644)}
# In this order, by one `mount -a`; /init has mounted /dev before.
MOUNTS = (("proc", "/proc", "defaults"), ("sysfs", "/sys", "defaults"), ("tmpfs", "/run", "mode=0755"),
          ("tracefs", "/sys/kernel/tracing", "defaults"), ("debugfs", "/sys/kernel/debug", "defaults"),
          ("devpts", "/dev/pts", "defaults"), ("tmpfs", "/dev/shm", "defaults"))
TEXTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/fstab": "".join(f"{kind} {at} {kind} {options}\n" for kind, at, options in MOUNTS),
    "etc/hosts": "127.0.0.1 localhost twin\n",
    # Both drivers fit a mouse; usbhid is the one that a kernel takes by itself.
    "etc/modprobe.d/bench.conf": "blacklist usbmouse\n",
}
FOLDERS = ("proc", "sys", "dev", "run", "root", "tmp", "mnt")
LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib"}
APPLETS = """
[ arp arping awk basename blockdev cat chgrp chmod chown chrt clear cmp cp cttyhack cut date dd devmem df diff
dirname dmesg du echo egrep env expr false fgrep find free fuser grep gunzip gzip head hexdump hostname id ifconfig
ionice kill killall less ln losetup ls lsof lspci lsusb md5sum microcom mkdir mkfifo mknod mktemp more mount mv nc
netstat nice nohup nproc od pgrep pidof ping pkill poweroff printf ps pwd readlink realpath reboot renice reset rm
rmdir route sed seq setsid sh sha256sum sleep sort stat strings stty sync sysctl tail tar taskset tee test time
timeout top touch tr true tty umount uname uniq uptime usleep vi watch wc which xargs xxd yes zcat
""".split()  # noqa: SIM905 (a list that is read like one)


def name(root: str, kernel: str, modules: str, programs: str) -> str:
    """Return the artefact's name: the hash of the names of what goes into it, and of our own files."""
    own = digest_files(list(TARGET.iterdir()), TARGET)
    return f"initramfs-{digest(root, kernel, modules, programs, SCRIPTS, TEXTS, FOLDERS, LINKS, APPLETS, own)}"


def ensure(cache: Cache, root: Path, kernel: Kernel, modules: Path, programs: Path, progress: Progress) -> Path:
    """Return the initramfs of a root, a kernel, a folder of extra modules and one of programs.   Raises SetupError."""
    def build(folder: Path) -> None:
        with progress.step("initramfs") as step:
            step.update("merging kernel modules")
            tree = folder / "modules"
            shutil.copytree(kernel.folder / "root", tree)
            extra = tree / "lib/modules" / kernel.release / "extra"
            extra.mkdir()
            for ko in modules.glob("*.ko"):
                shutil.copy(ko, extra)
            run(["depmod", "-b", str(tree), kernel.release], "listing the target's modules")
            step.update("packing")
            with open(folder / IMAGE, "wb") as stream:
                _pack(Archive(stream), root, tree, programs)

    parts = root.parent.name, kernel.folder.name, modules.name, programs.name
    return cache.ensure(name(*parts), build, progress.say) / IMAGE


def _pack(archive: Archive, root: Path, modules: Path, programs: Path) -> None:
    for name in FOLDERS:
        archive.folder(name, 0o1777 if name == "tmp" else 0o755)
    archive.device("dev/console", 5, 1)  # for /init's own input and output, before devtmpfs is mounted
    for name, target in LINKS.items():
        archive.link(name, target)
    for name, (source, mode) in SCRIPTS.items():
        archive.file(name, (TARGET / source).read_bytes(), stat.S_IFREG | mode)
    for name, text in TEXTS.items():
        archive.file(name, text.encode())
    for program in PROGRAMS:
        archive.file(f"usr/bin/{program}", (programs / program).read_bytes(), stat.S_IFREG | 0o755)
    archive.tree(modules / "lib/modules", "usr/lib/modules")
    archive.tree(root)
    for applet in APPLETS:
        if not archive.names & {f"usr/bin/{applet}", f"usr/sbin/{applet}"}:
            archive.link(f"usr/bin/{applet}", "busybox")
    archive.close()
