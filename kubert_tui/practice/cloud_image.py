"""An image for a lab's own machines: Debian that sets itself up from a seed (cloud-init, NoCloud).

The practice machines' disk with other packages and without what is particular to those, built on
this computer and kept in the cache. A qcow2 file: that is what travels to hosts.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from kubert_tui.base.errors import KubertError
from kubert_tui.practice import disk, mounts, processes
from kubert_tui.practice.images import Images
from kubert_tui.practice.model import Order
from kubert_tui.practice.pace import Pace, Step
from kubert_tui.practice.tools import refuse_missing
from kubert_tui.practice.virtual import Virtual

_IMAGE = "cloud.qcow2"
_LEFT_OUT = frozenset({"irqbalance", "python3-apt"})
_FLAVOUR = disk.Flavour(
    packages=(
        *(one for one in disk.PRACTICE.packages if one not in _LEFT_OUT),
        *("cloud-init", "eject", "cloud-guest-utils", "fdisk", "systemd-resolved"),
    ),
    before=("cloud_first",),
    after=("cloud_last",),
)
_PACKING = Step("packing the image", 20)


class CloudImage:
    """Builds it; see `practice.images.Builder`."""

    kind = "cloud"

    @property
    def build_steps(self) -> Sequence[Step]:
        return (*disk.STEPS, _PACKING)

    def recipe(self) -> str:
        return disk.recipe(_FLAVOUR)

    def build(self, target: Path, pace: Pace) -> None:
        mark = _build_mark(target)
        disk.build_disk(target, pace, mark, _FLAVOUR)
        pace.begin(_PACKING.name)
        raw = target / disk.DISK
        argv = ["qemu-img", "convert", "-O", "qcow2", "-f", "raw", str(raw), str(target / _IMAGE)]
        processes.run_long(argv, mark=mark, log=target / "build.log", pace=pace)
        raw.unlink()

    def discard(self, target: Path) -> None:
        processes.kill_marked(_build_mark(target))
        mounts.unmount_below(target)


def recipe_key() -> str:
    """Return 16 hex digits that are others whenever another image would be built."""
    return hashlib.sha256(CloudImage().recipe().encode()).hexdigest()[:16]


def cloud_image(cache: Path, order: Order) -> Path:
    """Return the image, built first (minutes) if `cache` has none of the present recipe.

    Raises ToolMissingError, CancelledError, KubertError (with the log of a build that failed).
    """
    builder = CloudImage()
    images = Images(cache, builder)
    if not images.present:
        if os.geteuid() != 0:
            raise KubertError(
                "building an image needs root on this computer: its file system has root's files",
                fix="start kubert-tui with sudo, or take a cloud image: image: {source: cloud}",
            )
        refuse_missing(Virtual().missing(), "building an image")
    return images.ensure(Pace(order, builder.build_steps, images.durations)) / _IMAGE


def _build_mark(target: Path) -> str:
    return f"build:{target}"
