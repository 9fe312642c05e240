"""A board as a lab has it, for tests: stock labgrid drivers, an ssh server, nothing of the twin.

The hardware is QEMU's `virt` with two network cards; the target boots the bench's own kernel and root, beside which an
ssh server comes up as a distribution's would. Only the server, its keys and the start of it are added here.
"""
from __future__ import annotations

import shlex
import shutil
import socket
import stat
import subprocess
from pathlib import Path

from bench import setup
from bench.setup import debian
from bench.setup.cache import Cache, digest
from bench.setup.cpio import Archive
from bench.setup.progress import for_stream

PACKAGES = ("dropbear-bin",)
LIBRARIES = ("libtomcrypt", "libtommath", "libgmp", "libcrypt", "libz")
UP = "lab: the ssh server is up"
# The first process: the bench's own init, beside it what a distribution would start.
INIT = f"""#!/bin/sh
(
	export PATH=/usr/sbin:/usr/bin
	until [ -e /sys/class/net/eth0 ]; do usleep 100000; done
	ifconfig eth0 10.0.2.15 up
	mkdir -p /etc/dropbear
	dropbear -R -s -p 22 && echo '{UP}' > /dev/console
) &
exec /init
"""
BOARD = """\
description: QEMU's virt board with two network cards, held by stock labgrid drivers
compatible: linux,dummy-virt
devices:
  ethernet:
    driver: virtio_net
    exercisers: [net, lifecycle]
    arguments: {interface: eth1}      # eth0 carries the agent's ssh
"""
ENV = """\
imports: [bench.target.labgrid]
tools: {{qemu: {folder}/qemu}}
images: {{kernel: {kernel}}}
targets:
  main:
    resources:
      NetworkService: {{address: 127.0.0.1, port: {port}, username: root}}
    drivers:
      QEMUDriver:
        qemu_bin: qemu
        machine: "virt,highmem=off"
        cpu: cortex-a15
        memory: 256M
        kernel: kernel
        boot_args: >-
          console=ttyAMA0 loglevel=7 rdinit=/lab-init sysrq_always_enabled clocksource.arm_arch_timer.evtstrm=1
        extra_args: >-
          -smp 2 -initrd {folder}/initramfs -device virtio-rng-device
          -netdev user,id=lab,restrict=on,hostfwd=tcp:127.0.0.1:{port}-10.0.2.15:22
          -device virtio-net-pci,netdev=lab,mac=02:00:00:00:00:01
          -netdev user,id=test,restrict=on -device virtio-net-pci,netdev=test,mac=02:00:00:00:00:02
      SSHDriver: {{keyfile: {folder}/id, connection_timeout: 60.0}}
      BenchStrategy: {{ready: "{up}"}}
"""


def make(folder: Path) -> Path:
    """Write a board's folder with everything that its environment names; returns it."""
    folder.mkdir()
    artefacts = setup.prepare()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "id")], check=True)
    with open(folder / "initramfs", "wb") as image:
        with open(artefacts.initramfs, "rb") as base:
            shutil.copyfileobj(base, image)
        image.write(bytes(-image.tell() % 4))
        archive = Archive(image)
        for file in ssh_server():
            name = str(file.relative_to(ssh_root()))
            if file.is_symlink():
                archive.link(name, str(file.readlink()))
            else:
                archive.file(name, file.read_bytes(), 0o755)
        archive.device("dev/null", 1, 3, 0o666)  # for the shell, before devtmpfs is mounted
        archive.file("lab-init", INIT.encode(), 0o755)
        archive.folder("root", 0o700)
        archive.folder("root/.ssh", 0o700)
        archive.file("root/.ssh/authorized_keys", (folder / "id.pub").read_bytes(), 0o600)
        archive.close()
    qemu = folder / "qemu"
    qemu.write_text(f'#!/bin/sh\nexec {shlex.join(artefacts.qemu)} "$@"\n')
    qemu.chmod(qemu.stat().st_mode | stat.S_IXUSR)
    (folder / "board.yaml").write_text(BOARD)
    (folder / "env.yaml").write_text(ENV.format(folder=folder, kernel=artefacts.kernel, port=free_port(), up=UP))
    return folder


def ssh_root() -> Path:
    """A folder with Debian's ssh server for the target, fetched once."""
    progress = for_stream()

    def build(folder: Path) -> None:
        with progress.step("the lab board's ssh server") as step:
            debian.extract(folder / "tree", "armhf", PACKAGES, (debian.SUITE,), step)

    return Cache().ensure(f"lab-{digest(PACKAGES, debian.SUITE)}", build, progress.say) / "tree"


def ssh_server() -> list[Path]:
    """The server and the libraries that the bench's own root has not."""
    root = ssh_root()
    libraries = [p for p in (root / "usr/lib/arm-linux-gnueabihf").iterdir() if p.name.startswith(LIBRARIES)]
    return [root / "usr/sbin/dropbear", *libraries]


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
