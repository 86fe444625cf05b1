"""Whether KVM runs a real kernel here.

That there is a /dev/kvm, and that it answers, says little: inside some virtual machines it makes
machines in which no stock kernel gets past decompression.
"""

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kubert_tui.base import paths
from kubert_tui.practice import processes

QEMU = "qemu-system-x86_64"
_KVM = Path("/dev/kvm")
_MARK = b"practice-probe: userland"
_LIMIT = 30.0
"""Seconds for a kernel to reach its first program. With KVM it takes one or two; where it takes
longer than this, there is nothing to be had from it."""
_MEMORY = "acceleration.json"


class Acceleration(StrEnum):
    """How QEMU executes what the machine executes."""

    KVM = "kvm"
    """This computer's processor does it."""
    EMULATION = "tcg"
    """QEMU translates it: some twenty times slower, and it works everywhere."""

    @property
    def options(self) -> tuple[str, ...]:
        """QEMU's options for it."""
        if self is Acceleration.KVM:
            return ("-accel", "kvm", "-cpu", "host")
        return ("-accel", "tcg,thread=multi", "-cpu", "max")


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel and its initramfs, to try it with."""

    image: Path
    initramfs: Path


def find_acceleration(kernel: Kernel, cache: Path, mark: str) -> Acceleration:
    """Return KVM if a machine with `kernel` gets to userland on it, else emulation.

    Remembered in the directory `cache` for as long as this computer runs, its QEMU and the kernel
    are the same. `mark` is for the processes (see `practice.processes`).
    """
    if not os.access(_KVM, os.R_OK | os.W_OK):
        return Acceleration.EMULATION
    circumstances = _circumstances(kernel, mark)
    try:
        known = json.loads((cache / _MEMORY).read_text(encoding="utf-8"))
        if known["circumstances"] == circumstances:
            return Acceleration(known["acceleration"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    works = boots(Acceleration.KVM.options, kernel, mark)
    found = Acceleration.KVM if works else Acceleration.EMULATION
    memory = {"acceleration": found, "circumstances": circumstances}
    paths.write_private(cache / _MEMORY, json.dumps(memory, indent=1))
    return found


def boots(options: Sequence[str], kernel: Kernel, mark: str, limit: float = _LIMIT) -> bool:
    """Whether a machine with QEMU's `options` starts `kernel` and a program in its initramfs."""
    # A program of ours goes into a copy of the initramfs: the kernel reads one archive after
    # another, each at a multiple of four bytes.
    archive = kernel.initramfs.read_bytes()
    script = b"#!/bin/sh\necho " + _MARK + b"\n"
    archive += bytes(-len(archive) % 4) + cpio("practice-probe", script)
    directory = Path("/proc/self/fd")
    descriptor = os.memfd_create("initramfs")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(archive)
        argv = [QEMU, *options, "-smp", "2", "-m", "512", "-nodefaults", "-no-user-config",
                "-display", "none", "-no-reboot", "-serial", "stdio",
                "-kernel", str(kernel.image), "-initrd", str(directory / str(descriptor)),
                "-append", "console=ttyS0 rdinit=/practice-probe panic=-1"]  # fmt: skip
        return _prints_mark(argv, descriptor, mark, limit)
    finally:
        os.close(descriptor)


def _prints_mark(argv: Sequence[str], descriptor: int, mark: str, limit: float) -> bool:
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=processes.environment(mark),
            pass_fds=(descriptor,),
        )
    except OSError:
        return False
    assert process.stdout is not None  # noqa: S101
    os.set_blocking(process.stdout.fileno(), False)
    told = b""
    deadline = time.monotonic() + limit
    try:
        while time.monotonic() < deadline:
            told += process.stdout.read() or b""
            if _MARK in told:
                return True
            if process.poll() is not None:
                return _MARK in told + (process.stdout.read() or b"")
            time.sleep(0.05)
        return False
    finally:
        process.kill()
        process.communicate()


def cpio(name: str, content: bytes) -> bytes:
    """Return an archive (cpio, "newc") with one executable file, as kernels unpack it."""
    archive = b""
    for path, mode, data in ((name, 0o100755, content), ("TRAILER!!!", 0, b"")):
        fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path) + 1, 0)
        archive += b"070701" + "".join(f"{field:08X}" for field in fields).encode()
        archive += path.encode() + b"\0"
        archive += bytes(-len(archive) % 4) + data
        archive += bytes(-len(archive) % 4)
    return archive


def _circumstances(kernel: Kernel, mark: str) -> dict[str, str]:
    return {
        "boot": Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip(),
        "kernel": hashlib.sha256(kernel.image.read_bytes()).hexdigest(),
        "qemu": processes.run([QEMU, "--version"], mark=mark).partition("\n")[0],
    }
