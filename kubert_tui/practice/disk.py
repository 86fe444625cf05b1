"""The disk that virtual machines start from: Debian on it, with its own kernel and GRUB.

Nothing is mounted and no loop device is used: the file system is made from a directory, and GRUB
is put on by a first start of the disk itself (`disk_boot.sh`), with Debian's own tools.
"""

import platform
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kubert_tui.base.errors import KubertError
from kubert_tui.base.text import last_lines
from kubert_tui.practice import processes
from kubert_tui.practice.acceleration import QEMU, Kernel, find_acceleration
from kubert_tui.practice.driver import ENGINEER
from kubert_tui.practice.pace import Pace, Step

DISK = "disk.img"
KERNEL = "vmlinuz"
INITRAMFS = "initrd.img"
DRIVE = "virtio-blk-pci,drive=disk,serial=kubert-tui"
"""The device of the disk. Its serial number names it in the guest, for grub-pc's updates."""
ARCHITECTURE = "x86_64"

_SUITE = "bookworm"
_PACKAGES = (
    "linux-image-amd64", "grub-pc", "initramfs-tools", "zstd", "e2fsprogs",
    "systemd", "systemd-sysv", "dbus", "udev", "openssh-server", "sudo", "python3", "python3-apt",
    "iproute2", "iputils-ping", "ca-certificates", "irqbalance", "procps", "kmod",
)  # fmt: skip
_MIB = 1 << 20
_SIZE = 8192 * _MIB
"""Of the disk as the machine sees it; here only what is written takes room."""
_ROOT = 2 * _MIB
"""Where the file system begins. Before it: the partition table, and one for GRUB."""
_END = _MIB
"""Left free at the end: the second copy of the partition table."""
_INITRAMFS = (
    'mkdir -p "$1/etc/initramfs-tools/conf.d"',
    'cd "$1/etc/initramfs-tools"',
    "printf 'MODULES=list\\nCOMPRESS=zstd\\n' >conf.d/practice",
    "printf '%s\\n' virtio_pci virtio_blk virtio_net ext4 >modules",
)
"""This computer's devices say nothing about the machine's: its initramfs is told what it needs."""
_OPTIONS = (
    f"--essential-hook={' && '.join(_INITRAMFS)}",
    # What nobody reads there.
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
)
_SIGNS = {
    "running apt-get update": Step("fetching package lists", 8),
    "downloading packages": Step("fetching packages", 15),
    "extracting archives": Step("unpacking the base system", 8),
    "installing essential": Step("installing the base system", 10),
    "installing remaining": Step("installing packages and a kernel", 45),
    "cleaning package": Step("tidying up", 3),
}
"""What mmdebstrap says when it begins something, and how we call it."""
_FILLING = Step("making the disk", 8)
_TRYING = Step("trying whether KVM works", 30)
_BOOTING = Step("installing the boot loader", 80)
STEPS = (*_SIGNS.values(), _FILLING, _TRYING, _BOOTING)
_READY = "practice-disk: ready"


@dataclass(frozen=True, slots=True)
class Flavour:
    """What one kind of disk has on it."""

    packages: tuple[str, ...] = _PACKAGES
    before: tuple[str, ...] = ()
    """Scripts beside this file, run with the tree before what all disks have is set up there."""
    after: tuple[str, ...] = ()
    """Scripts that are run last."""


PRACTICE = Flavour()
"""The practice machines' own."""


def recipe(flavour: Flavour = PRACTICE) -> str:
    """Everything that the disk depends on."""
    names = (*flavour.before, "disk_root", "disk_boot", *flavour.after)
    scripts = (_script(name).read_text(encoding="utf-8") for name in names)
    return "\n".join(
        (_SUITE, ENGINEER, f"{_SIZE} {_ROOT} {DRIVE}", *flavour.packages, *_OPTIONS, *scripts)
    )


def build_disk(target: Path, pace: Pace, mark: str, flavour: Flavour = PRACTICE) -> None:
    """Fill the directory `target`: the disk, and its kernel and initramfs beside it."""
    if platform.machine() != ARCHITECTURE:
        raise KubertError(
            f"virtual practice machines need an {ARCHITECTURE} computer",
            fix="practise on container machines",
        )
    log, root, disk = target / "build.log", target / "root", target / DISK
    identity = str(uuid.uuid4())
    _make_root(root, identity, flavour, log=log, pace=pace, mark=mark)
    pace.begin(_FILLING.name)
    kernel = Kernel(target / KERNEL, target / INITRAMFS)
    for name, copy in ((KERNEL, kernel.image), (INITRAMFS, kernel.initramfs)):
        (newest,) = (root / "boot").glob(f"{name}-*")
        shutil.copyfile(newest, copy)
    _fill(disk, root, identity, log=log, pace=pace, mark=mark)
    shutil.rmtree(root)
    pace.begin(_TRYING.name)
    acceleration = find_acceleration(kernel, target.parent, mark)
    pace.begin(_BOOTING.name)
    console = target / "console.log"
    argv = [QEMU, *acceleration.options, "-smp", "2", "-m", "768", "-nodefaults",
            "-no-user-config", "-display", "none", "-no-reboot", "-serial", f"file:{console}",
            "-kernel", str(kernel.image), "-initrd", str(kernel.initramfs),
            "-append", f"root=UUID={identity} rw console=ttyS0 panic=-1 init=/practice-boot",
            "-blockdev", _blockdev(disk), "-device", DRIVE]  # fmt: skip
    processes.run_long(argv, mark=mark, log=log, pace=pace)
    told = console.read_bytes()
    if _READY.encode() not in told:
        with log.open("ab") as output:
            output.write(told)
        raise KubertError(
            "the boot loader could not be put onto the practice machines' disk",
            details=last_lines(told),
        )


def _blockdev(disk: Path) -> str:
    name = str(disk).replace(",", ",,")
    # Nothing of this must survive a power cut: who is interrupted begins anew.
    return (
        f"driver=raw,node-name=disk,discard=unmap,detect-zeroes=unmap,cache.no-flush=on,"
        f"file.driver=file,file.filename={name}"
    )


def _make_root(
    root: Path, identity: str, flavour: Flavour, *, log: Path, pace: Pace, mark: str
) -> None:
    """Unpack and configure Debian in the directory `root`."""
    scripts = (*flavour.before, "disk_root", *flavour.after)
    argv = ["mmdebstrap", "--variant=minbase", f"--include={','.join(flavour.packages)}",
            *_OPTIONS,
            f"--customize-hook=install -m 755 '{_script('disk_boot')}' \"$1/practice-boot\"",
            *(f'--customize-hook=sh "{_script(name)}" "$1" {identity}' for name in scripts),
            _SUITE, str(root)]  # fmt: skip
    processes.run_long(argv, mark=mark, log=log, pace=pace, watch=_watch(log, pace))


def _watch(log: Path, pace: Pace) -> Callable[[], None]:
    begun = set()

    def watch() -> None:
        text = log.read_text(encoding="utf-8", errors="replace")
        for sign, step in _SIGNS.items():
            if sign not in begun and f"I: {sign}" in text:
                begun.add(sign)
                pace.begin(step.name)

    return watch


def _fill(disk: Path, root: Path, identity: str, *, log: Path, pace: Pace, mark: str) -> None:
    """Make the disk: partitions, and in the second one a file system with what is in `root`."""
    with disk.open("wb") as file:
        file.truncate(_SIZE)
    first, end = _MIB // 512, _ROOT // 512 - 1
    table = ["sgdisk", "--set-alignment=1", f"--new=1:{first}:{end}", "--typecode=1:ef02",
             f"--new=2:{end + 1}:{(_SIZE - _END) // 512 - 1}", "--typecode=2:8304",
             str(disk)]  # fmt: skip
    processes.run(table, mark=mark)
    features = f"offset={_ROOT},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0"
    filling = ["mke2fs", "-q", "-F", "-t", "ext4", "-U", identity, "-E", features,
               "-d", str(root), str(disk), f"{(_SIZE - _ROOT - _END) // 1024}k"]  # fmt: skip
    processes.run_long(filling, mark=mark, log=log, pace=pace)


def _script(name: str) -> Path:
    return Path(__file__).with_name(f"{name}.sh")
