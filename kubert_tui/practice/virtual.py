"""Virtual machines: Debian on a disk of its own, with GRUB, kernels and a power button, by QEMU."""

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from kubert_tui.base.errors import KubertError
from kubert_tui.base.paths import write_private
from kubert_tui.practice import mounts, processes
from kubert_tui.practice.acceleration import QEMU, Kernel, find_acceleration
from kubert_tui.practice.disk import DISK, INITRAMFS, KERNEL, STEPS, build_disk, recipe
from kubert_tui.practice.model import Kind, Machine
from kubert_tui.practice.pace import Pace, Step
from kubert_tui.practice.state import LabDirectory
from kubert_tui.practice.tools import Tool, missing
from kubert_tui.practice.virtual_machine import ACCELERATION, PORT, SEED, VirtualMachine
from kubert_tui.practice.virtual_seed import seed

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_TOOLS = (
    Tool("mmdebstrap", "mmdebstrap", "mmdebstrap"),
    Tool(_KEYRING, "debian-archive-keyring", "debian-keyring"),
    Tool("sgdisk", "gdisk", "gdisk"),
    Tool("mke2fs", "e2fsprogs", "e2fsprogs"),
    Tool(QEMU, "qemu-system-x86", "qemu-system-x86-core"),
    Tool("qemu-img", "qemu-utils", "qemu-img"),
    Tool("setsid", "util-linux", "util-linux-core"),
)
_FIRST_PORT = 2222
_PORTS = 100


class Virtual:
    """The driver of virtual machines; see `practice.driver.Driver`."""

    kind = Kind.VIRTUAL

    @property
    def build_steps(self) -> Sequence[Step]:
        return STEPS

    def missing(self) -> list[Tool]:
        return missing(_TOOLS)

    def recipe(self) -> str:
        return recipe()

    def build(self, target: Path, pace: Pace) -> None:
        build_disk(target, pace, _build_mark(target))

    def discard(self, target: Path) -> None:
        processes.kill_marked(_build_mark(target))
        mounts.unmount_below(target)

    def create(self, lab: LabDirectory, image: Path) -> None:
        kernel = Kernel(image / KERNEL, image / INITRAMFS)
        acceleration = find_acceleration(kernel, image.parent, lab.tag)
        for machine in (VirtualMachine(lab, name) for name in lab.machines):
            directory = machine.directory
            directory.mkdir(mode=0o700, exist_ok=True)
            if machine.running():
                machine.resume()
                continue
            write_private(directory / ACCELERATION, acceleration)
            write_private(directory / SEED, seed(lab, machine.name))
            if not machine.disk.exists():
                _copy(image / DISK, machine.disk, lab.tag)
            # Last: what has a port is whole.
            write_private(directory / PORT, str(_free_port(machine)))

    def machines(self, lab: LabDirectory) -> tuple[Machine, ...]:
        if not all((lab.of(name) / PORT).exists() for name in lab.machines):
            return ()
        return tuple(VirtualMachine(lab, name) for name in lab.machines)

    def destroy(self, lab: LabDirectory) -> None:
        processes.kill_marked(lab.tag)


def _build_mark(target: Path) -> str:
    return f"build:{target}"


def _copy(image: Path, disk: Path, mark: str) -> None:
    """Make `disk`, which holds what differs from `image`: nothing yet."""
    fresh = disk.with_name(f".{disk.name}")
    base = os.fspath(image.resolve())
    argv = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", base, str(fresh)]
    processes.run(argv, mark=mark)
    fresh.replace(disk)


def _free_port(machine: VirtualMachine) -> int:
    """The port it had, if it is still free, else the first one that is."""
    candidates: list[int] = [*range(_FIRST_PORT, _FIRST_PORT + _PORTS)]
    with suppress(OSError, ValueError):
        candidates.insert(0, machine.port)
    for port in candidates:
        with socket.socket() as stream:
            # As QEMU does: connections of before that are not quite over do not count.
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                stream.bind((machine.address, port))
            except OSError:
                continue
            return port
    raise KubertError(f"no port is free on {machine.address} for the machine {machine.name}")
