"""A real-time kernel in an emulated machine that has a few programs and one script, no disk.

    console = boot(kernel(), programs=["/usr/bin/rtla"], files={"x.sh": "..."}, script="...")

`script` is its first process and runs as root with busybox for everything else; when it ends the
machine is off. What it printed comes back.
"""

import gzip
import io
import re
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.virtual_kernels import rt_kernel_debs

_INIT = """\
#!/bin/sh
export PATH=/bin LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm
mount -t tmpfs shm /dev/shm
sh /script
poweroff -f
"""


def kernel(directory: Path) -> Path:
    """Return Debian's PREEMPT_RT kernel, unpacked into a directory."""
    for deb in rt_kernel_debs():
        packed = subprocess.run(
            ["dpkg-deb", "--fsys-tarfile", deb], capture_output=True, check=True
        )
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            for member in archive:
                if "/boot/vmlinuz-" in member.name:
                    (content := archive.extractfile(member)) and (
                        directory / "vmlinuz"
                    ).write_bytes(content.read())
    return directory / "vmlinuz"


def boot(
    image: Path,
    *,
    programs: Sequence[str],
    files: Mapping[str, str],
    script: str,
    limit: float,
) -> str:
    """Boot it, and return what was said on its console."""
    initramfs = image.with_name("initramfs")
    initramfs.write_bytes(gzip.compress(_archive(programs, {**files, "script": script}), 1))
    done = subprocess.run(
        [
            "qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-cpu", "max", "-smp", "2",
            "-m", "512", "-nographic", "-no-reboot", "-kernel", image, "-initrd", initramfs,
            "-append", "console=ttyS0 quiet panic=1",
        ],
        stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=limit,
    )  # fmt: skip
    return done.stdout.decode(errors="replace").replace("\r", "")


def _archive(programs: Sequence[str], files: Mapping[str, str]) -> bytes:
    """Return a cpio archive (newc) of the machine's root."""
    entries: dict[str, tuple[int, bytes]] = {"init": (stat.S_IFREG | 0o755, _INIT.encode())}
    for name in ("proc", "sys", "dev", "bin", "run", "tmp"):
        entries[name] = (stat.S_IFDIR | 0o755, b"")
    busybox = shutil.which("busybox") or ""
    listed = subprocess.run([busybox, "--list"], capture_output=True, check=True, text=True)
    for applet in listed.stdout.split():
        entries[f"bin/{applet}"] = (stat.S_IFLNK | 0o777, b"busybox")
    for program in (busybox, *programs):
        entries[f"bin/{Path(program).name}"] = _file(Path(program))
        needs = subprocess.run(["ldd", program], capture_output=True, check=False, text=True)
        for library in re.findall(r"(/\S+) \(0x", needs.stdout):
            for parent in reversed(Path(library).parents[:-1]):
                entries.setdefault(str(parent)[1:], (stat.S_IFDIR | 0o755, b""))
            entries[library[1:]] = _file(Path(library))
    for name, text in files.items():
        entries[name] = (stat.S_IFREG | 0o644, text.encode())
    packed = b"".join(_entry(name, *entry) for name, entry in entries.items())
    return packed + _entry("TRAILER!!!", 0, b"")


def _file(path: Path) -> tuple[int, bytes]:
    return stat.S_IFREG | 0o755, path.resolve().read_bytes()


def _entry(name: str, mode: int, content: bytes) -> bytes:
    fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + "".join(f"{field:08x}" for field in fields).encode() + name.encode() + b"\0"
    return _padded(head) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
