"""Practice machines of the Fedora family: like all others, from images of ours."""

import platform
import shutil
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

from kubert_tui.practice import disk, processes
from kubert_tui.practice.containers import Containers
from kubert_tui.practice.pace import Pace, Step
from kubert_tui.practice.virtual import Virtual
from tests.support.rpm_host import image

_BASE = Step("building a Debian with dnf and rpm", 45)
_KERNELS = Step("taking its kernels apart", 15)
_HOST = Step("making a host of the Fedora family of it", 15)
_VIRTUAL_PACKAGES = (*disk._PACKAGES, *image.PACKAGES, "cpio", "grub-pc-bin")

PACKAGES = "packages"
"""The PREEMPT_RT kernel's, beside the virtual machines' disk."""


class RpmContainers(Containers):
    """See `practice.driver.Driver`."""

    @property
    def build_steps(self) -> Sequence[Step]:
        return (_BASE, _HOST)

    def recipe(self) -> str:
        return f"{platform.machine()}\n{image.recipe()}"

    def build(self, target: Path, pace: Pace) -> None:
        steps = iter(self.build_steps)

        def run(*argv: str) -> None:
            pace.begin(next(steps).name)
            log = target / "build.log"
            processes.run_long(argv, mark=f"build:{target}", log=log, pace=pace)

        image.build(target / "root", run)


class RpmVirtual(Virtual):
    """See `practice.driver.Driver`."""

    @property
    def build_steps(self) -> Sequence[Step]:
        return (_BASE, _KERNELS, _HOST, *disk.STEPS[-3:])

    def recipe(self) -> str:
        return "\n".join((super().recipe(), *_VIRTUAL_PACKAGES, image.sources()))

    def build(self, target: Path, pace: Pace) -> None:
        with patch.object(disk, "_make_root", _make_root):
            disk.build_disk(target, pace, f"build:{target}")


def _make_root(
    root: Path, identity: str, flavour: disk.Flavour, *, log: Path, pace: Pace, mark: str
) -> None:
    def run(*argv: str) -> None:
        processes.run_long(argv, mark=mark, log=log, pace=pace)

    pace.begin(_BASE.name)
    first_start = image.HERE / "files/virtual/first-start.sh"
    included = f"--include={','.join(_VIRTUAL_PACKAGES)}"
    run("mmdebstrap", "--variant=minbase", included, *disk._OPTIONS,
        f"--customize-hook=install -m 755 '{first_start}' \"$1/practice-boot\"",
        f'--customize-hook=sh "{disk._script("disk_root")}" "$1" {identity}',
        image.SUITE, str(root))  # fmt: skip
    command_line = root / "etc/kernel/cmdline"
    command_line.parent.mkdir(exist_ok=True)
    command_line.write_text(f"root=UUID={identity} ro console=ttyS0,115200\n")
    with image.put_sources(root) as inside:
        pace.begin(_KERNELS.name)
        pack = f"/{inside}/files/virtual/pack-kernels.sh"
        run("chroot", str(root), "sh", pack, f"/{inside}/kernels")
        pace.begin(_HOST.name)
        image.make_host("virtual", root, inside, run)
    shutil.copytree(root / "srv/repository/rt", root.parent / PACKAGES)
    (initramfs,) = (root / "boot").glob("initramfs-*.img")
    # What the first start begins with; it removes the copy.
    release = initramfs.stem.removeprefix("initramfs-")
    shutil.copy(initramfs, root / "boot" / f"initrd.img-{release}")
